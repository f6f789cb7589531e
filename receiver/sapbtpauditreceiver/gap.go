// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

const reasonExpired = "retention"

// announceExpired gives up event time that SAP no longer keeps, after an outage longer than the retention, and says so in
// the stream: an audit trail must show its own holes.
func (s *subaccount) announceExpired(ctx context.Context, bound int64) error {
	limit := bound - int64(retention/time.Second)
	lost := s.progress.Behind(limit)
	if len(lost) == 0 && s.progress.Oldest() >= limit {
		return nil
	}
	progress := s.progress.Clone()
	progress.Abandon(sweep.Span{From: progress.Oldest(), To: limit})
	if len(lost) > 0 {
		logs, _ := s.newLogs()
		for _, span := range lost {
			s.appendGap(logs, span, reasonExpired, time.Now())
		}
		if err := s.deliverer.Deliver(ctx, logs); err != nil {
			return err
		}
	}
	op, err := s.store.operation(progress)
	if err != nil {
		return err
	}
	if err := s.commit(ctx, []*storage.Operation{op}); err != nil {
		return err
	}
	s.store.saved()
	s.setProgress(progress)
	return nil
}

// appendGap announces a hole that cannot be closed: in the stream, as a metric, as a status and in the log.
func (s *subaccount) appendGap(logs plog.Logs, span sweep.Span, reason string, observed time.Time) {
	into := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	s.mapper.AppendGap(into, span.Start(), span.End(), reason, observed)
	s.tel.gap(span.Len(), reason)
	s.status.Set(s.cause("gap"), errGap)
	s.logger.Error("Part of the audit log cannot be read any more; a gap record announces it",
		append(labels(s), zap.Time("from", span.Start()), zap.Time("to", span.End()), zap.String("reason", reason))...)
}
