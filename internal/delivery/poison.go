// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
)

const (
	reasonRefused = "refused"
	// maxAlone bounds how many suspected records are offered one by one and refused in a call.
	maxAlone = 32
)

// judge decides about the records that are suspected, when nothing else of the call is left: those that earlier calls have
// brought back are offered once more, each alone, and those that are found to be poison go into the quarantine.
func (b *batch) judge(ctx context.Context) error {
	known, refused := b.known, 0
	b.known = nil
	for i, record := range known {
		if refused >= maxAlone || ctx.Err() != nil {
			b.suspected = append(b.suspected, known[i:]...)
			break
		}
		out := b.offer(ctx, record)
		switch {
		case out.err == nil:
			continue
		case ctx.Err() == nil:
			refused++
			b.suspects.refused(record, out.permanent, false, b.accepted.Load())
		}
		b.suspected = append(b.suspected, record)
	}
	if ctx.Err() != nil {
		return b.interrupted(ctx)
	}
	b.convict(ctx)
	if len(b.suspected) == 0 {
		return nil
	}
	return b.refusedAlone()
}

// convict puts the records that are poison into the quarantine. What that does not take stays suspected.
func (b *batch) convict(ctx context.Context) {
	var (
		kept   []plog.Logs
		failed error
	)
	for _, record := range b.suspected {
		if !b.suspects.guilty(record) {
			kept = append(kept, record)
			continue
		}
		if err := b.quarantine(ctx, record); err != nil {
			failed = err
			kept = append(kept, record)
			continue
		}
		b.suspects.cleared(record, plog.NewLogs())
	}
	n := len(b.suspected) - len(kept)
	b.suspected = kept
	if n > 0 {
		b.quarantined += n
		b.set.Logger.Warn("Log records that the next component refuses, while it accepts others, were put into the quarantine",
			zap.Int("records", n), zap.Error(b.last))
		b.set.OnQuarantine(n)
	}
	b.health.quarantine(failed, n)
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
