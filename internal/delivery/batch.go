// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// When what is refused is taken apart: after so many refusals in a row that call themselves permanent, or after so long a time
// of any. Each time that this leads nowhere, twice as many and twice as long, up to a limit.
const (
	refusalsBeforeApart = 3
	timeBeforeApart     = time.Minute
	maxFruitless        = 4
)

// Pauses between the calls that bring back what was refused: so many of each length, which then doubles.
const (
	firstAgain   = 15 * time.Second
	longestAgain = 2 * time.Minute
	againTries   = 5

	hastyAgain = 10 * time.Millisecond // see Hasten
)

// batch is the state of one Deliver call.
type batch struct {
	*Deliverer

	pending     []plog.Logs // groups to be offered in this order; never changed in place
	known       []plog.Logs // single records that were refused alone in earlier calls; offered last
	suspected   []plog.Logs // single records that were refused alone in this one
	total       int         // records at the start
	quarantined int
	started     time.Time
	began       int64 // Deliverer.accepted at the start, or when records of the call were refused in an earlier one
	backoff     backoff
	failing     bool      // owned by health
	last        error     // the last refusal
	first       time.Time // when pending was first refused

	// Of pending, since something of it was accepted or it was last taken apart:
	permanent int       // permanent refusals in a row
	since     time.Time // the first refusal; zero if there was none
	fruitless int       // times in a row that taking it apart led nowhere
	apart     bool      // it was taken apart in this call
}

func (b *batch) deliver(ctx context.Context) error {
	for {
		out := b.offerPending(ctx)
		if out.err == nil {
			return b.judge(ctx)
		}
		if ctx.Err() != nil {
			return b.interrupted(ctx)
		}
		b.note(out)
		b.health.failed(b, out.err)
		if b.due(out) && b.takeApart(ctx, out.tooLarge) {
			continue
		}
		if ctx.Err() != nil {
			return b.interrupted(ctx)
		}
		if !b.set.Retry.Enabled {
			return b.giveUp(ctx, out.tooLarge)
		}
		if b.givesBack() {
			return b.giveBack()
		}
		pause := b.backoff.next()
		if limit := b.set.Retry.MaxElapsedTime; limit > 0 && time.Since(b.started)+pause > limit {
			return b.giveUp(ctx, out.tooLarge)
		}
		b.health.waiting(b, pause)
		if err := sleep(ctx, pause); err != nil {
			return b.interrupted(ctx)
		}
	}
}

// offerPending offers one group after the other, in portions that the consumer is known to take, until one is refused.
func (b *batch) offerPending(ctx context.Context) outcome {
	for len(b.pending) > 0 {
		if cut := b.portions.cut(b.pending[0]); len(cut) > 1 {
			b.pending = append(cut, b.pending[1:]...)
		}
		group := b.pending[0]
		out := b.offer(ctx, group)
		if out.err == nil {
			b.pending = b.pending[1:]
			b.portions.passed(group)
			continue
		}
		b.pending[0] = out.rest
		if ctx.Err() == nil && b.portions.overreached(group) {
			continue // with less
		}
		return out
	}
	return outcome{}
}

// note draws from a refusal of the first pending group what due will need.
func (b *batch) note(out outcome) {
	if out.accepted > 0 {
		b.backoff.reset()
		b.permanent, b.since = 0, time.Time{}
	}
	if b.since.IsZero() {
		b.since = time.Now()
	}
	if b.first.IsZero() {
		b.first = b.since
	}
	b.permanent++
	if !out.permanent {
		b.permanent = 0
	}
}

// due reports whether to take pending apart, which was just refused.
func (b *batch) due(out outcome) bool {
	switch {
	case out.tooLarge && out.rest.LogRecordCount() > 1 && b.fruitless == 0:
		return true // and if it only asks for a pause, that comes next
	case b.permanent >= refusalsBeforeApart<<b.fruitless:
		return true
	default:
		return time.Since(b.since) >= timeBeforeApart<<b.fruitless
	}
}

// givesBack reports whether others should get their turn: when they are accepted and pending was taken apart in vain, or when
// nothing has been accepted for so long that it must be another's turn to show whether the backend is down.
func (b *batch) givesBack() bool {
	if b.apart && b.fruitless > 0 && b.othersAccepted() {
		return true
	}
	return time.Since(b.first) >= b.patience.limit(b.accepted.Load(), b.set.Crowded())
}

// othersAccepted reports whether anything was accepted since the call, or the first that brought some of its records, began.
func (b *batch) othersAccepted() bool { return b.accepted.Load() > b.began }

func (b *batch) giveBack() error {
	b.remember()
	return b.refusedAlone()
}

// giveUp ends a call that may not wait any longer. What was not taken apart is, so that one record does not keep its neighbours;
// of a backend that accepts nothing this is tried ever more rarely.
func (b *batch) giveUp(ctx context.Context, tooLarge bool) error {
	if !b.apart && b.patience.chance() && b.takeApart(ctx, tooLarge) && len(b.pending) == 0 {
		return b.judge(ctx)
	}
	if ctx.Err() != nil {
		return b.interrupted(ctx)
	}
	if b.othersAccepted() {
		return b.giveBack()
	}
	b.remember()
	return fmt.Errorf("%w %d log records after %s: %w", ErrGaveUp, b.left().LogRecordCount(), time.Since(b.started).Round(time.Millisecond), b.last)
}

// remember keeps for the next call what this one has learned in vain.
func (b *batch) remember() {
	if !b.othersAccepted() {
		b.patience.ended(b.accepted.Load(), b.backoff.interval)
	}
	for _, group := range b.pending {
		if group.LogRecordCount() == 1 {
			b.suspects.refused(group, b.permanent > 0, b.othersAccepted(), b.accepted.Load())
		}
	}
}

func (b *batch) refusedAlone() error {
	return fmt.Errorf("%w (%d of %d): %w", ErrRefusedAlone, b.left().LogRecordCount(), b.total, b.last)
}

func (b *batch) interrupted(ctx context.Context) error {
	if b.left().LogRecordCount() == 0 {
		return nil // the offer that was under way took the rest
	}
	return fmt.Errorf("delivery of %d log records was interrupted: %w", b.left().LogRecordCount(), ctx.Err())
}

// Again is how long to wait before what was refused is offered again, for the nth time since ErrRefusedAlone first came.
func Again(n int) time.Duration {
	if hasty.Load() {
		return hastyAgain
	}
	return min(longestAgain, firstAgain<<min(n/againTries, 16))
}

// left is what was neither accepted nor quarantined.
func (b *batch) left() plog.Logs {
	all := slices.Concat(b.pending, b.known, b.suspected)
	if len(all) == 1 {
		return all[0]
	}
	return merge(all)
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
