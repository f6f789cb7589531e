// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"math/bits"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// parting is one attempt to find out which records of a call are refused. It offers each group once.
type parting struct {
	*batch

	alone    []plog.Logs // single records that were refused
	perms    []bool      // of alone: whether permanently
	unjudged []plog.Logs // what it did not get to the bottom of
	accepted int         // records
	most     size        // the most that was accepted at a time
	whole    []size      // groups that were refused, though each of their parts was accepted
	named    bool        // a refusal named the size as its reason
	streak   int         // refusals in a row
	bound    int         // of streak
}

// takeApart offers pending in ever smaller parts, and reports whether that led somewhere. Single records that are refused then
// are suspected from now on. If nothing was accepted, the backend may be down: then pending stays together. named says that the last
// refusal named the size as its reason.
func (b *batch) takeApart(ctx context.Context, named bool) bool {
	// Going down to a single record costs an offer a level. Without this bound a backend that is down, or goes down meanwhile,
	// would get two requests for every record.
	p := &parting{batch: b, named: named, bound: bits.Len(uint(b.total)) + 2}
	if b.othersAccepted() {
		p.bound *= 4
	}
	b.apart = true
	for i, group := range b.pending {
		switch {
		case i > 0: // only the first was offered
			p.try(ctx, group)
		case group.LogRecordCount() == 1:
			p.alone, p.perms = append(p.alone, group), append(p.perms, b.permanent > 0)
		default:
			p.split(ctx, group)
		}
	}
	b.permanent, b.since = 0, time.Time{}
	p.learn()
	for i, record := range p.alone {
		b.suspects.refused(record, p.perms[i], b.othersAccepted(), b.accepted.Load())
	}
	if p.accepted == 0 && (ctx.Err() != nil || !b.othersAccepted()) {
		b.fruitless = min(b.fruitless+1, maxFruitless)
		return false
	}
	b.pending = p.unjudged
	b.suspected = append(b.suspected, p.alone...)
	if p.accepted == 0 && len(b.pending) > 0 {
		b.fruitless = min(b.fruitless+1, maxFruitless)
		return false
	}
	b.fruitless = 0
	b.backoff.reset()
	return true
}

// split offers both halves of a group that was refused.
func (p *parting) split(ctx context.Context, group plog.Logs) {
	first, second := halve(group)
	// A random order keeps successive attempts that run out of offers from looking at the same records again and again.
	if p.set.Jitter() < 0.5 {
		first, second = second, first
	}
	open := len(p.alone) + len(p.unjudged)
	p.try(ctx, first)
	p.try(ctx, second)
	if open == len(p.alone)+len(p.unjudged) {
		p.whole = append(p.whole, sizeOf(group))
	}
}

// try offers group, and splits what is refused of it.
func (p *parting) try(ctx context.Context, group plog.Logs) {
	if ctx.Err() != nil || p.streak >= p.bound {
		p.unjudged = append(p.unjudged, group)
		return
	}
	out := p.offer(ctx, group)
	p.accepted += out.accepted
	p.named = p.named || out.tooLarge
	p.streak++
	if out.accepted > 0 {
		p.streak = 0
	}
	switch {
	case out.err == nil:
		p.most = p.most.max(sizeOf(group))
	case ctx.Err() != nil:
		p.unjudged = append(p.unjudged, out.rest)
	case out.rest.LogRecordCount() == 1:
		p.alone, p.perms = append(p.alone, out.rest), append(p.perms, out.permanent)
	default:
		p.split(ctx, out.rest)
	}
}

// learn remembers what passes, if it was the size for which groups were refused: as much as one of them was never accepted.
func (p *parting) learn() {
	for _, s := range p.whole {
		if s.within(p.most) {
			return
		}
	}
	if len(p.whole) > 0 {
		p.portions.learn(p.most, p.named)
	}
}
