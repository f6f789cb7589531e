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
	proven, ok := s.clock.proven()
	if !ok {
		return nil
	}
	limit := retained(min(bound, proven))
	if s.published.Load().Oldest() >= limit {
		return nil
	}
	if err := s.delivering.enter(ctx); err != nil {
		return err
	}
	defer s.delivering.leave()
	s.giveUpAsides(limit)
	reserved := s.reserved()
	lost := s.progress.Behind(limit).Minus(reserved)
	past := sweep.Set{{From: s.progress.Oldest(), To: limit}}.Minus(reserved)
	if len(past) == 0 {
		return nil
	}
	progress := s.progress.Clone()
	for _, span := range past {
		progress.Abandon(span)
	}
	if len(lost) > 0 {
		logs, _ := s.newLogs()
		for _, span := range lost {
			s.appendGap(logs, span, reasonExpired, time.Now())
		}
		if err := s.hand(ctx, logs); err != nil {
			return err
		}
	}
	if err := s.saveProgress(ctx, progress); err != nil {
		return err
	}
	for _, span := range lost {
		s.noteGap(span, reasonExpired)
	}
	return nil
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
