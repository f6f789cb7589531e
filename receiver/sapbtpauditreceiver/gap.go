// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

const (
	reasonExpired = "retention"
	// gapShown is how long a gap is shown in the component's status. The gap record and the metric stay.
	gapShown = time.Hour
)

// announceExpired gives up event time that SAP no longer keeps, after an outage longer than the retention, and says so in
// the stream: an audit trail must show its own holes. What is being read is not given up, and nothing is before the server
// has answered: until then a wrong local clock has not shown. What was set aside is: read now, it would seem to be empty.
func (s *subaccount) announceExpired(ctx context.Context, bound int64) error {
	if until := s.gapUntil.Load(); until > 0 && time.Now().Unix() > until {
		s.gapUntil.Store(0)
		s.status.Set(s.cause("gap"), nil)
	}
	now, trust := s.clock.source()
	if trust != trusted {
		return nil
	}
	limit := retained(min(bound, now))
	if s.published.Load().Oldest() >= limit {
		return nil
	}
	s.giveUpAsides(limit)
	if s.announcing.Load() {
		return nil
	}
	if err := s.delivering.enter(ctx); err != nil {
		return err
	}
	defer s.delivering.leave()
	reserved := s.reserved()
	lost := s.progress.Behind(limit).Minus(reserved)
	past := sweep.Set{{From: s.progress.Oldest(), To: limit}}.Minus(reserved)
	switch {
	case len(past) == 0:
		return nil
	case len(lost) == 0:
		return s.abandon(ctx, past)
	}
	for _, span := range lost {
		s.noteGap(span, reasonExpired)
	}
	s.announcing.Store(true)
	s.background.Go(func() {
		defer s.announcing.Store(false)
		s.announce(ctx, lost, past)
	})
	return nil
}

// announce delivers the records of holes and then gives up the time that has passed. It goes on beside reading: a record that
// is refused must not hold up what can still be read, and can be told from a backend that is down only by what else is
// accepted. Until it is taken the holes stay unread in storage, so that a restart announces them again.
func (s *subaccount) announce(ctx context.Context, lost, past sweep.Set) {
	logs, _ := s.newLogs()
	for _, span := range lost {
		s.appendGap(logs, span, reasonExpired, time.Now())
	}
	for pause := firstFailurePause; ; pause = min(2*pause, maxFailureCap) {
		out, err := s.hand(ctx, logs)
		if err == nil {
			break
		}
		logs = out.Left
		if sleep(ctx, jittered(pause)) != nil {
			return
		}
	}
	if s.delivering.enter(ctx) != nil {
		return
	}
	defer s.delivering.leave()
	_ = s.abandon(ctx, past) // its only error is that ctx has ended; saving tells of its own troubles
}

// abandon gives up time that has passed. The caller has entered delivering.
func (s *subaccount) abandon(ctx context.Context, past sweep.Set) error {
	progress := s.progress.Clone()
	for _, span := range past {
		progress.Abandon(span)
	}
	return s.saveProgress(ctx, progress)
}

// deletedUnread is what of an empty answer SAP has deleted before it was read for the first time, where no Date has proven so
// much that it was given up: there is the local clock alone, or it is behind. Such time is read nevertheless, and if nothing
// comes it is a hole like any other. delivering is held.
func (s *subaccount) deletedUnread(read sweep.Set) sweep.Set {
	now, trust := s.clock.source()
	if trust == trusted && now <= s.clock.now()+clockTolerance {
		return nil // announceExpired tells
	}
	return read.Minus(read.Minus(s.progress.Behind(retained(now))))
}

// retained is the oldest event time that SAP still keeps.
func retained(bound int64) int64 { return bound - int64(retention/time.Second) }

// appendGap announces a hole that cannot be closed in the stream.
func (s *subaccount) appendGap(logs plog.Logs, span sweep.Span, reason string, observed time.Time) {
	into := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	s.mapper.AppendGap(into, s.id, span.Start(), span.End(), reason, observed)
}

// noteGap tells of a hole that was announced: as a metric, as a status and in the log.
func (s *subaccount) noteGap(span sweep.Span, reason string) {
	s.tel.gap(span.Len(), reason)
	s.status.Set(s.cause("gap"), errGap)
	s.gapUntil.Store(time.Now().Add(gapShown).Unix())
	s.logger.Error("Part of the audit log cannot be read any more; a gap record announces it",
		append(labels(s), zap.Time("from", span.Start()), zap.Time("to", span.End()), zap.String("reason", reason))...)
}

// gapReason is why the rest of a page could not be made out.
func gapReason(err error) string {
	if httpcall.KindOf(err) == httpcall.KindTooLarge {
		return reasonTooLarge
	}
	return reasonMalformed
}
