// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
)

// telemetry is the counters of one subaccount. Attribute sets are made once: counting happens per page and per request.
type telemetry struct {
	ctx        context.Context // without an end: what is counted does not depend on a request's fate
	builder    *metadata.TelemetryBuilder
	subaccount attribute.KeyValue
	self       metric.MeasurementOption
}

func newTelemetry(ctx context.Context, builder *metadata.TelemetryBuilder, subaccount string) *telemetry {
	kv := attribute.String("subaccount", subaccount)
	return &telemetry{ctx: context.WithoutCancel(ctx), builder: builder, subaccount: kv, self: metric.WithAttributeSet(attribute.NewSet(kv))}
}

func (t *telemetry) with(key, value string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(t.subaccount, attribute.String(key, value)))
}

// request counts an API request by its outcome.
func (t *telemetry) request(outcome string, took time.Duration) {
	t.builder.SapBtpAuditRequests.Add(t.ctx, 1, t.with("outcome", outcome))
	t.builder.SapBtpAuditRequestDuration.Record(t.ctx, took.Seconds(), t.self)
}

func (t *telemetry) token(err error) {
	t.builder.SapBtpAuditTokenRefreshes.Add(t.ctx, 1, t.with("outcome", outcomeOf(err, "ok")))
}

func (t *telemetry) checkpoint(err error) {
	t.builder.SapBtpAuditCheckpoints.Add(t.ctx, 1, t.with("outcome", outcomeOf(err, "saved")))
}

func outcomeOf(err error, good string) string {
	if err != nil {
		return "failed"
	}
	return good
}

func (t *telemetry) read(n int) {
	t.builder.SapBtpAuditEventsRead.Add(t.ctx, int64(n), t.self)
}

// selected counts what of a page was not delivered as a normal event.
func (t *telemetry) selected(chosen *selection) {
	if chosen.duplicates > 0 {
		t.builder.SapBtpAuditEventsDuplicate.Add(t.ctx, int64(chosen.duplicates), t.self)
	}
	if chosen.malformed > 0 {
		t.builder.SapBtpAuditEventsMalformed.Add(t.ctx, int64(chosen.malformed), t.self)
	}
	if chosen.ambiguous > 0 {
		t.builder.SapBtpAuditEventsAmbiguous.Add(t.ctx, int64(chosen.ambiguous), t.self)
	}
	if chosen.notUTF8 > 0 {
		t.builder.SapBtpAuditEventsNotUtf8.Add(t.ctx, int64(chosen.notUTF8), t.self)
	}
	if chosen.redacted > 0 {
		t.builder.SapBtpAuditEventsRedacted.Add(t.ctx, int64(chosen.redacted), t.self)
	}
	for reason, n := range chosen.dropped {
		t.builder.SapBtpAuditEventsDropped.Add(t.ctx, int64(n), t.with("reason", reason))
	}
}

func (t *telemetry) delivered(n int) {
	t.builder.SapBtpAuditEventsDelivered.Add(t.ctx, int64(n), t.self)
}

// future counts delivered events whose time was still to come.
func (t *telemetry) future(n int) {
	if n > 0 {
		t.builder.SapBtpAuditEventsFuture.Add(t.ctx, int64(n), t.self)
	}
}

func (t *telemetry) quarantined(n int) {
	t.builder.SapBtpAuditEventsQuarantined.Add(t.ctx, int64(n), t.self)
}

// late counts an event that the sweep with this delay in seconds brought, and no earlier one.
func (t *telemetry) late(delay int64) {
	sweep := shortDuration(time.Duration(delay) * time.Second)
	t.builder.SapBtpAuditEventsLate.Add(t.ctx, 1, t.with("sweep", sweep))
}

// shortDuration writes a duration as people do: 10m for 10m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if d != 0 && strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (t *telemetry) lateness(seconds int64) {
	t.builder.SapBtpAuditEventLateness.Record(t.ctx, float64(max(0, seconds)), t.self)
}

func (t *telemetry) restarted(reason string) {
	t.builder.SapBtpAuditWindowRestarts.Add(t.ctx, 1, t.with("reason", reason))
}

func (t *telemetry) gap(seconds int64, reason string) {
	t.builder.SapBtpAuditGap.Add(t.ctx, seconds, t.with("reason", reason))
}

// observe registers the gauges over all subaccounts that list returns at the time of a collection.
func observe(builder *metadata.TelemetryBuilder, list func() []*subaccount) error {
	// Subaccounts that share a label are shown by the worst of them.
	float := func(value func(*subaccount) (float64, bool), worse func(a, b float64) float64) metric.Float64Callback {
		return func(_ context.Context, o metric.Float64Observer) error {
			for label, v := range merged(list(), value, worse) {
				o.Observe(v, metric.WithAttributes(attribute.String("subaccount", label)))
			}
			return nil
		}
	}
	integer := func(value func(*subaccount) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			known := func(s *subaccount) (int64, bool) { return value(s), true }
			for label, v := range merged(list(), known, func(a, b int64) int64 { return a + b }) {
				o.Observe(v, metric.WithAttributes(attribute.String("subaccount", label)))
			}
			return nil
		}
	}
	for _, register := range []func() error{
		func() error { return builder.RegisterSapBtpAuditClockSkewCallback(float((*subaccount).skew, furthest)) },
		func() error {
			return builder.RegisterSapBtpAuditCredentialExpiryCallback(float((*subaccount).expiry, math.Min))
		},
		func() error {
			return builder.RegisterSapBtpAuditDeliveryPendingCallback(float((*subaccount).deliveryPending, math.Max))
		},
		func() error { return builder.RegisterSapBtpAuditLagCallback(float((*subaccount).lag, math.Max)) },
		func() error {
			return builder.RegisterSapBtpAuditUnreadAgeCallback(float((*subaccount).unreadAge, math.Max))
		},
		func() error {
			return builder.RegisterSapBtpAuditUnreadSpanCallback(float((*subaccount).unreadSpan, math.Max))
		},
		func() error {
			return builder.RegisterSapBtpAuditSeenEventsCallback(integer(func(s *subaccount) int64 { return int64(s.seen.Len()) }))
		},
		func() error {
			return builder.RegisterSapBtpAuditSeenEvictedCallback(integer(func(s *subaccount) int64 { return int64(s.seen.Stats().Evicted) }))
		},
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}

// merged gives one value for each label.
func merged[V any](list []*subaccount, value func(*subaccount) (V, bool), join func(a, b V) V) map[string]V {
	out := map[string]V{}
	for _, s := range list {
		v, ok := value(s)
		if !ok {
			continue
		}
		label := s.tel.subaccount.Value.AsString()
		if other, shared := out[label]; shared {
			v = join(v, other)
		}
		out[label] = v
	}
	return out
}

// furthest is the value that is further from zero.
func furthest(a, b float64) float64 {
	if math.Abs(a) > math.Abs(b) {
		return a
	}
	return b
}

func (s *subaccount) skew() (float64, bool) { return s.clock.offset().Seconds(), true }

func (s *subaccount) expiry() (float64, bool) {
	end := lastEnd(s.connection.Load().credentials)
	return time.Until(end).Seconds(), !end.IsZero()
}

func (s *subaccount) deliveryPending() (float64, bool) { return s.deliverer.Pending().Seconds(), true }

// lag is never negative, even where the clock was set back.
func (s *subaccount) lag() (float64, bool) {
	newest := s.newest.Load()
	return max(0, time.Since(time.Unix(newest, 0)).Seconds()), newest > 0
}

func (s *subaccount) unreadAge() (float64, bool) {
	now := s.clock.now()
	unread := s.published.Load().Behind(now)
	if len(unread) == 0 {
		return 0, true
	}
	return float64(now - unread[0].From), true
}

func (s *subaccount) unreadSpan() (float64, bool) {
	return float64(s.published.Load().Behind(s.clock.now()).Len()), true
}
