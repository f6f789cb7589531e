// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/metadata"
)

// telemetry counts. It outlives the engines of a receiver.
type telemetry struct {
	builder *metadata.TelemetryBuilder
}

func with(key, value string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))
}

// read counts a read as often as it was sent: that is how often the server has seen it.
func (t *telemetry) read(ctx context.Context, r *reply) {
	t.builder.SaasSecurityReads.Add(ctx, int64(r.sent), with("outcome", r.outcome()))
	t.builder.SaasSecurityReadDuration.Record(ctx, r.took.Seconds())
}

func (t *telemetry) unknown(ctx context.Context, reason string, n int64) {
	t.builder.SaasSecurityReadsUnknownOutcome.Add(ctx, n, with("reason", reason))
}

func (t *telemetry) committed(ctx context.Context, took time.Duration) {
	t.builder.SaasSecurityCommitDuration.Record(ctx, took.Seconds())
}

func (t *telemetry) token(err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	t.builder.SaasSecurityTokenRefreshes.Add(context.Background(), 1, with("outcome", outcome))
}

// unpacked counts what is found in an entry of the spool, once a run.
func (t *telemetry) unpacked(ctx context.Context, u *unpacking) {
	t.builder.SaasSecurityEventsRead.Add(ctx, int64(u.reply.Len()))
	if reason := u.undecoded(); reason != "" {
		t.builder.SaasSecurityRepliesUndecoded.Add(ctx, 1, with("reason", string(reason)))
	}
}

func (t *telemetry) delivered(ctx context.Context, events int) {
	t.builder.SaasSecurityEventsDelivered.Add(ctx, int64(events))
}

func (t *telemetry) odd(ctx context.Context, p parsed) {
	for reason, n := range p.odd {
		t.builder.SaasSecurityEventsOdd.Add(ctx, int64(n), with("reason", reason))
	}
}

func (t *telemetry) quarantined(n int) {
	t.builder.SaasSecurityEventsQuarantined.Add(context.Background(), int64(n))
}

func (t *telemetry) corrupt(ctx context.Context) {
	t.builder.SaasSecuritySpoolCorrupt.Add(ctx, 1)
}

func (t *telemetry) unfinished(ctx context.Context) {
	t.builder.SaasSecuritySpoolUnfinished.Add(ctx, 1)
}

func (t *telemetry) gap(ctx context.Context, d time.Duration) {
	t.builder.SaasSecurityGap.Add(ctx, int64(d/time.Second))
}

// observe registers the gauges over the engine that current returns at the time of a collection, nil for none.
func (t *telemetry) observe(current func() *engine) error {
	integer := func(value func(*engine) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			if e := current(); e != nil {
				o.Observe(value(e))
			}
			return nil
		}
	}
	seconds := func(age func(*engine) time.Duration) metric.Float64Callback {
		return func(_ context.Context, o metric.Float64Observer) error {
			if e := current(); e != nil {
				o.Observe(age(e).Seconds())
			}
			return nil
		}
	}
	b := t.builder
	for _, register := range []func() error{
		func() error { return b.RegisterSaasSecurityExpiryRiskCallback(seconds((*engine).expiryRisk)) },
		func() error { return b.RegisterSaasSecurityDeliveryPendingCallback(pending(current)) },
		func() error { return b.RegisterSaasSecurityLagCallback(lag(current)) },
		func() error {
			return b.RegisterSaasSecurityQuarantineEntriesCallback(integer(func(e *engine) int64 { return int64(e.quarantine.Stats().Entries) }))
		},
		func() error {
			return b.RegisterSaasSecurityQuarantineUnreadableCallback(integer(func(e *engine) int64 { return int64(e.quarantine.Stats().Unreadable) }))
		},
		func() error {
			return b.RegisterSaasSecurityReadersCallback(integer(func(e *engine) int64 { return e.open.Load() }))
		},
		func() error {
			return b.RegisterSaasSecuritySpoolBytesCallback(integer(func(e *engine) int64 { return e.spool.Stats().Bytes }))
		},
		func() error {
			return b.RegisterSaasSecuritySpoolEntriesCallback(integer(func(e *engine) int64 { return int64(e.spool.Stats().Entries) }))
		},
		func() error {
			return b.RegisterSaasSecuritySpoolLimitCallback(integer(func(e *engine) int64 { return e.spool.Stats().MaxBytes }))
		},
		func() error {
			return b.RegisterSaasSecuritySpoolLostCallback(integer(partsLost))
		},
		func() error {
			return b.RegisterSaasSecuritySpoolMissingCallback(integer(func(e *engine) int64 { return int64(e.spool.Stats().Missing) }))
		},
		func() error {
			return b.RegisterSaasSecuritySpoolRepairedCallback(integer(func(e *engine) int64 { return int64(e.spool.Stats().Repaired) }))
		},
		func() error {
			return b.RegisterSaasSecuritySpoolUnreadableCallback(integer(func(e *engine) int64 { return int64(len(e.spool.Stats().Unreadable)) }))
		},
		func() error { return b.RegisterSaasSecuritySpoolOldestAgeCallback(seconds((*engine).oldestAge)) },
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}

func pending(current func() *engine) metric.Float64Callback {
	return func(_ context.Context, o metric.Float64Observer) error {
		if e := current(); e != nil {
			o.Observe(e.deliverer.Pending().Seconds())
		}
		return nil
	}
}

// partsLost are segments of the spool, and the receiver's own file.
func partsLost(e *engine) int64 {
	stats := e.spool.Stats()
	if stats.RootLost {
		stats.Lost++
	}
	return int64(stats.Lost)
}

// lag says nothing before the first delivery. It is never negative, even where the clock was set back since then.
func lag(current func() *engine) metric.Float64Callback {
	return func(_ context.Context, o metric.Float64Observer) error {
		if e := current(); e != nil {
			if at := e.newest.Load(); at > 0 {
				o.Observe(max(0, time.Since(time.Unix(0, at)).Seconds()))
			}
		}
		return nil
	}
}
