// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"math/bits"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
)

// How a record is found to be poison, and why a backend that is down or flapping is not mistaken for it:
//
//  1. A batch that was refused permanently three times in a row is taken apart. Records that are refused alone while
//     others of the batch are accepted become accused. If nothing is accepted, nothing is accused.
//  2. The accused are what is left of the batch. They are retried as usual and, when refused, taken apart once more. If
//     nothing was accepted after some of them were accused, the backend may have gone down just then; so that takes as
//     many refusals as there are such accused, and three at least. Those that are refused alone a second time are poison.
//
// A single record cannot be taken apart. It is poison if other calls get theirs accepted between its refusals, of which the
// last ones may have been in an earlier call, or if it is what is left of a batch.
const (
	refusalsBeforeBisect = 3  // permanent ones in a row
	refusalsAlone        = 5  // of a single record, before it is given up or, with less evidence, found to be poison
	refusalsReturned     = 2  // of a single record that an earlier call gave back
	maxPatience          = 16 // bounds how rarely a batch is examined while that leads nowhere
	reasonRefused        = "refused"
)

// examine is called when pending was refused permanently often enough. It delivers, accuses or convicts what it can.
func (b *batch) examine(ctx context.Context) error {
	if b.left() == 1 {
		return b.examineSingle(ctx)
	}
	found := bisection{batch: b}
	found.split(ctx, b.pending)
	if ctx.Err() != nil {
		b.pending = merge(append(found.unjudged, found.suspects...))
		if b.left() == 0 {
			return nil // the offer that was under way took the rest
		}
		return b.interrupted(ctx)
	}
	b.refused = 0
	progress := found.accepted > 0
	if progress {
		b.pending = merge(append(found.unjudged, found.suspects...))
		b.backoff.reset()
	}
	switch {
	case len(found.unjudged) > 0 && progress:
		b.patience = refusalsBeforeBisect
	case len(found.unjudged) > 0 && found.transient:
		// Proves nothing.
	case len(found.unjudged) > 0 || !b.evidence():
		b.patience = min(2*b.patience, maxPatience)
	case b.accused:
		b.convict(ctx, found.suspects)
	default:
		b.accused = true
		b.patience = 1
		if found.trailing > 0 {
			b.patience = max(found.trailing, refusalsBeforeBisect)
		}
	}
	return nil
}

func (b *batch) examineSingle(ctx context.Context) error {
	before, known := b.loners.recall(b.pending)
	switch {
	case b.accused, b.alive, b.evidence() && b.refused >= refusalsAlone, known && b.mark > before:
		b.convict(ctx, []plog.Logs{b.pending})
	case b.total == 1 && (known || b.refused >= refusalsAlone):
		b.loners.remember(b.pending, b.mark)
		return ErrRefusedAlone
	}
	return nil
}

// evidence reports whether other records of the call got through.
func (b *batch) evidence() bool {
	return b.left() < b.total
}

// convict puts single records into the quarantine. What that does not take stays pending.
func (b *batch) convict(ctx context.Context, poison []plog.Logs) {
	var (
		kept   []plog.Logs
		failed error
	)
	for _, record := range poison {
		if err := b.quarantine(ctx, record); err != nil {
			failed = err
			kept = append(kept, record)
		}
	}
	b.pending = merge(kept)
	b.refused = 0
	if n := len(poison) - len(kept); n > 0 {
		b.quarantined += n
		b.backoff.reset()
		b.set.Logger.Warn("Log records that the next component refuses, while it accepts others, were put into the quarantine",
			zap.Int("records", n), zap.Error(b.last))
		b.set.OnQuarantine(n)
	}
	if failed != nil {
		b.accused = true
		b.patience = min(2*b.patience, maxPatience)
		b.health.stuck(failed)
	}
}

func (b *batch) quarantine(ctx context.Context, record plog.Logs) error {
	if b.set.Quarantine == nil {
		return errNoQuarantine
	}
	data, err := new(plog.ProtoMarshaler).MarshalLogs(record)
	if err != nil {
		return err
	}
	return b.set.Quarantine.Put(ctx, quarantine.Entry{
		Reason: reasonRefused,
		Source: b.set.Source,
		Data:   data,
		Format: quarantine.FormatOTLPProto,
	})
}

// bisection is one attempt to find out which records of a batch are refused. It offers each group once.
type bisection struct {
	*batch

	suspects  []plog.Logs // single records refused permanently
	trailing  int         // suspects since the last acceptance
	unjudged  []plog.Logs // what it did not get to the bottom of
	accepted  int         // records
	offers    int
	transient bool // a refusal was not permanent, so that nothing more can be learned now
}

// split offers both halves of group, and splits those that are refused.
func (s *bisection) split(ctx context.Context, group plog.Logs) {
	first, second := halve(group)
	// A random order keeps successive attempts that run out of offers from looking at the same records again and again.
	if s.set.Jitter() < 0.5 {
		first, second = second, first
	}
	refused := append(s.try(ctx, first), s.try(ctx, second)...)
	for _, half := range refused {
		s.split(ctx, half)
	}
}

// try offers group and returns it, or what was refused of it, if that should be split.
func (s *bisection) try(ctx context.Context, group plog.Logs) []plog.Logs {
	if s.transient || ctx.Err() != nil || s.hopeless() {
		s.unjudged = append(s.unjudged, group)
		return nil
	}
	out := s.offer(ctx, group)
	s.offers++
	if out.accepted > 0 {
		s.accepted += out.accepted
		s.trailing = 0
	}
	switch {
	case out.err == nil:
	case !out.permanent:
		s.transient = true
		s.unjudged = append(s.unjudged, out.rest)
	case out.rest.LogRecordCount() == 1:
		s.trailing++
		s.suspects = append(s.suspects, out.rest)
	default:
		return []plog.Logs{out.rest}
	}
	return nil
}

// hopeless reports that enough was tried without any acceptance: going down to a single record along one path costs two offers
// a level. Without this bound a backend that is down would get two requests for every record.
func (s *bisection) hopeless() bool {
	if s.accepted > 0 || s.evidence() {
		return false
	}
	return s.offers >= 2*bits.Len(uint(s.total))
}
