// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadatatest"
)

const day = 24 * time.Hour

func TestWhatIsUnreadIsAnAgeAndASpan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 81}, func(c *Config) {
			c.InitialLookback = 30 * day
			c.RequestsPerSecond = 0.1
		})
		w.sim.Generate(w.sub.Tenant, 20_000, time.Now().Add(-30*day), time.Now())
		require.NoError(t, w.sim.Script(sapbtp.Rule{Fault: sapbtp.Fault{Kind: sapbtp.FaultReset}}))
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(2 * time.Hour)
		behind := (30*day + 2*time.Hour).Seconds()
		require.InDelta(t, behind, w.gauge(t, "unread_age"), 1, "the API has been down since the start")
		require.InDelta(t, behind, w.gauge(t, "unread_span"), 1)

		require.NoError(t, w.sim.Script())
		time.Sleep(10 * time.Minute)
		require.InDelta(t, behind+600, w.gauge(t, "unread_age"), 1, "newest first: the oldest is still unread")
		require.InDelta(t, behind/2, w.gauge(t, "unread_span"), 0.45*behind, "some of it is read")

		time.Sleep(6 * time.Hour)
		w.requireExactlyOnce()
		require.LessOrEqual(t, w.gauge(t, "unread_age"), 120.0)
		require.LessOrEqual(t, w.gauge(t, "unread_span"), 120.0)
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

func TestTheLagIsTheAgeOfTheNewestEvent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 82})
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(time.Hour)
		require.Empty(t, w.gauges(t, "lag"), "nothing was delivered yet")

		at := time.Now()
		w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: at}, sapbtp.Record{Time: at.Add(-2 * time.Hour)})
		time.Sleep(8 * time.Hour)
		require.InDelta(t, time.Since(at).Seconds(), w.gauge(t, "lag"), 1, "an older event that came later changes nothing")
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// A clock of SAP's that is wrong once must not hide that nothing arrives any more.
func TestAnEventOfTheFutureIsCountedAndLeavesTheLagAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 85})
		at := time.Now().Add(-2 * time.Hour)
		page := `[{"message_uuid":"a","time":"2099-01-01T00:00:00.000Z","category":"audit.security-events","message":"{}"},` +
			`{"message_uuid":"b","time":"` + at.UTC().Format("2006-01-02T15:04:05.000Z") + `","category":"audit.security-events","message":"{}"}]`
		w.transport = &badSecond{next: w.transport, second: at, fail: answer(http.StatusOK, page)}
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(time.Hour)
		assert.InDelta(t, time.Since(at).Seconds(), w.gauge(t, "lag"), 1)
		assert.Positive(t, w.sums(t, "otelcol_sap_btp_audit_events_future", "subaccount")[keyOf(w, "")])
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

func TestTheClockSkewIsThatOfTheServersDate(t *testing.T) {
	for name, skew := range map[string]time.Duration{"behind": -3 * time.Minute, "ahead": time.Hour, "in step": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 83, Readings: sapbtp.Readings{DateSkew: skew}})
				r, _, err := w.start()
				require.NoError(t, err)
				time.Sleep(time.Hour)
				// Date has whole seconds, and is read once a poll.
				require.InDelta(t, skew.Seconds(), w.gauge(t, "clock_skew"), 1)
				require.NoError(t, r.Shutdown(t.Context()))
			})
		})
	}
}

func TestTheExpiryOfACertificateIsShownAndThatOfASecretIsNot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 84})
		r, _, err := w.start()
		require.NoError(t, err)
		require.Empty(t, w.gauges(t, "credential_expiry"))
		require.NoError(t, r.Shutdown(t.Context()))

		certificate := w.sim.IssueClientCert(w.sub.Tenant, 5*time.Hour)
		w.configure = func(c *Config) { present(c, w.sub, certificate) }
		r, _, err = w.start()
		require.NoError(t, err)
		for _, left := range []time.Duration{5 * time.Hour, time.Hour, -time.Hour} {
			time.Sleep(time.Until(certificate.NotAfter.Add(-left)))
			require.InDelta(t, left.Seconds(), w.gauge(t, "credential_expiry"), 1)
		}
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// present makes a configuration show a client certificate in place of a secret.
func present(cfg *Config, sub sapbtp.Subaccount, certificate sapbtp.ClientCertificate) {
	cfg.TokenURL, cfg.ClientSecret = sub.CertURL, ""
	cfg.ClientConfig.TLS.CertPem = configopaque.String(certificate.CertPEM)
	cfg.ClientConfig.TLS.KeyPem = configopaque.String(certificate.KeyPEM)
}

func TestRememberedIDsAreShown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t, func(c *Config) { c.Sweeps = []time.Duration{0, time.Hour} })
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(6 * time.Hour)
		remembered := w.gauges(t, "seen_events")[""]
		require.Greater(t, remembered, 4000.0/24, "what the last sweep will read again")
		require.Less(t, remembered, 3*4000.0/24)
		metadatatest.AssertEqualSapBtpAuditSeenEvicted(t, w.telemetry, []metricdata.DataPoint[int64]{w.point(0)}, metricdatatest.IgnoreTimestamp())
		require.NoError(t, r.Shutdown(t.Context()))
		require.Empty(t, w.gauges(t, "seen_events"), "a receiver that has stopped shows nothing")
	})
}

// point is a value of the world's subaccount, with further attributes as key and value in turn.
func (w *world) point(value int64, attributes ...string) metricdata.DataPoint[int64] {
	set := []attribute.KeyValue{attribute.String("subaccount", keyOf(w, ""))}
	for pair := range slices.Chunk(attributes, 2) {
		set = append(set, attribute.String(pair[0], pair[1]))
	}
	return metricdata.DataPoint[int64]{Attributes: attribute.NewSet(set...), Value: value}
}

// sums are the values of a counter by one of its attributes; empty when it has none yet.
func (w *world) sums(t *testing.T, name, by string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for _, point := range dataOf[metricdata.Sum[int64]](t, w, name).DataPoints {
		value, _ := point.Attributes.Value(attribute.Key(by))
		out[value.AsString()] += point.Value
	}
	return out
}

// gauges are the values of a gauge of the receiver, by nothing; empty when it shows none.
func (w *world) gauges(t *testing.T, name string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	name = "otelcol_sap_btp_audit_" + name
	for _, point := range dataOf[metricdata.Gauge[float64]](t, w, name).DataPoints {
		out[""] += point.Value
	}
	for _, point := range dataOf[metricdata.Gauge[int64]](t, w, name).DataPoints {
		out[""] += float64(point.Value)
	}
	return out
}

func (w *world) gauge(t *testing.T, name string) float64 {
	t.Helper()
	values := w.gauges(t, name)
	require.Len(t, values, 1, name)
	return values[""]
}

func (w *world) histogram(t *testing.T, name string) metricdata.HistogramDataPoint[float64] {
	t.Helper()
	points := dataOf[metricdata.Histogram[float64]](t, w, name).DataPoints
	require.LessOrEqual(t, len(points), 1)
	return append(points, metricdata.HistogramDataPoint[float64]{})[0]
}

// dataOf is what a metric shows now; the zero value where it shows nothing, or something of another kind.
func dataOf[T metricdata.Aggregation](t *testing.T, w *world, name string) T {
	t.Helper()
	metric, err := w.telemetry.GetMetric(name)
	if err != nil {
		require.ErrorContains(t, err, "not found")
	}
	data, _ := metric.Data.(T)
	return data
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
