// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// quarantined is a world with one event in the quarantine, and the status of its receiver.
func quarantined(t *testing.T, configure ...func(*Config)) (w *world, r *auditReceiver, host *statusHost, id string) {
	t.Helper()
	w = traffic(t, configure...)
	host = newStatusHost(w)
	id = w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: time.Now().Add(10 * time.Minute)})[0]
	w.sink.accept = refusing(id)
	r, err := w.startOn(host)
	require.NoError(t, err)
	time.Sleep(2 * time.Hour)
	require.Equal(t, 1, w.metric("sap_btp_audit_quarantine_entries"))
	require.Contains(t, host.last(), "quarantine ")
	return w, r, host, id
}

// metric is the sum of a metric's points, 0 if there are none.
func (w *world) metric(name string) int {
	total, _ := observed.Metric(w.telemetry, name)
	return total
}

// last is the latest status event, "" if there is none.
func (h *statusHost) last() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return ""
	}
	return h.events[len(h.events)-1]
}

func TestWhatWasRefusedIsOfferedAgainAtTheNextStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r, _, id := quarantined(t)
		require.NoError(t, r.Shutdown(t.Context()))

		host := newStatusHost(w)
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		require.Contains(t, host.last(), "quarantine: ", "it is refused once more, and stays")
		require.Equal(t, 1, w.metric("sap_btp_audit_quarantine_entries"))
		require.Equal(t, 1, w.metric("sap_btp_audit_events_quarantined"), "and does not count anew")
		require.NotContains(t, w.sink.delivered(), id)
		require.NoError(t, r.Shutdown(t.Context()))

		w.sink.refuse(nil)
		before := w.metric("sap_btp_audit_events_delivered")
		total := w.sink.total()
		host = newStatusHost(w)
		r, err = w.startOn(host)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.Contains(t, w.sink.delivered(), id)
		require.Zero(t, w.metric("sap_btp_audit_quarantine_entries"))
		require.Equal(t, 1, w.metric("sap_btp_audit_events_quarantined"))
		require.Equal(t, w.sink.total()-total, w.metric("sap_btp_audit_events_delivered")-before)
		require.Equal(t, statusOK, host.last())
		time.Sleep(40 * time.Hour)
		require.NoError(t, r.Shutdown(t.Context()))
		w.requireExactlyOnce()
	})
}

func TestWhatWasRefusedIsOfferedAgainWhileRunning(t *testing.T) {
	for _, tc := range []struct {
		name     string
		interval time.Duration
		after    time.Duration // when it is delivered; 0: never
	}{
		{"by default after a day", 24 * time.Hour, 24 * time.Hour},
		{"as configured", 3 * time.Hour, 3 * time.Hour},
		{"at the start only", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				begin := time.Now()
				w, r, host, id := quarantined(t, func(c *Config) { c.Quarantine.RetryInterval = tc.interval })
				w.sink.refuse(nil)
				if tc.after == 0 {
					time.Sleep(26 * time.Hour)
					require.NotContains(t, w.sink.delivered(), id)
					require.NoError(t, r.Shutdown(t.Context()))
					return
				}
				time.Sleep(time.Until(begin.Add(tc.after - time.Minute)))
				require.NotContains(t, w.sink.delivered(), id)
				time.Sleep(2 * time.Minute)
				require.Contains(t, w.sink.delivered(), id)
				require.Equal(t, statusOK, host.last())
				require.NoError(t, r.Shutdown(t.Context()))
			})
		})
	}
}

func TestADamagedIndexOfTheQuarantineIsNoReasonNotToStart(t *testing.T) {
	t.Run("torn at the first write", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := traffic(t)
			c := w.disk.Client()
			require.NoError(t, c.Set(t.Context(), "quarantine/index", []byte(`{"version":1,"sha256":"0`)))
			host := newStatusHost(w)
			r, err := w.startOn(host)
			require.NoError(t, err)
			require.Contains(t, host.last(), "quarantine damage: the index of the quarantine was damaged")
			require.NoError(t, r.Shutdown(t.Context()))
		})
	})
	t.Run("with its copy", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w, r, _, id := quarantined(t)
			require.NoError(t, r.Shutdown(t.Context()))
			w.disk.Flip(t, "quarantine/index", 40)
			w.disk.Flip(t, "quarantine/copy", 40)
			w.sink.refuse(nil)
			host := newStatusHost(w)
			r, err := w.startOn(host)
			require.NoError(t, err)
			time.Sleep(time.Minute)
			require.Contains(t, w.sink.delivered(), id, "the entry was found again")
			require.Contains(t, host.last(), "quarantine damage: ")
			require.NotContains(t, host.last(), "quarantine: ")
			require.Zero(t, w.metric("sap_btp_audit_quarantine_unreadable"))
			time.Sleep(40 * time.Hour)
			require.NoError(t, r.Shutdown(t.Context()))
			w.requireExactlyOnce()
		})
	})
	t.Run("with its entry", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w, r, _, _ := quarantined(t)
			require.NoError(t, r.Shutdown(t.Context()))
			w.disk.Flip(t, "quarantine/item/1", 200)
			w.sink.refuse(nil)
			host := newStatusHost(w)
			r, err := w.startOn(host)
			require.NoError(t, err)
			time.Sleep(time.Minute)
			require.Contains(t, host.last(), "quarantine damage: 1 of the 1 entries")
			require.Equal(t, 1, w.metric("sap_btp_audit_quarantine_unreadable"))
			require.Equal(t, 1, w.metric("sap_btp_audit_quarantine_entries"), "damage is not forgotten")
			require.NoError(t, r.Shutdown(t.Context()))
		})
	})
}

// The README's own exporter retries for ever and does not return meanwhile.
func TestACallThatDoesNotReturnIsAStatusAndAMetric(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		host := newStatusHost(w)
		blocked := make(chan struct{})
		called := make(chan time.Time, 1)
		w.sink.accept = func(plog.Logs) error {
			select {
			case called <- time.Now():
			default:
			}
			<-blocked
			return nil
		}
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(time.Until((<-called).Add(50 * time.Second)))
		require.Empty(t, host.last())
		require.Equal(t, 50, w.metric("sap_btp_audit_delivery_pending"))
		time.Sleep(3 * time.Hour)
		require.Contains(t, host.last(), "delivery "+keyOf(w, "")+": the next component has not returned for more than a minute")
		require.Equal(t, 3*3600+50, w.metric("sap_btp_audit_delivery_pending"))
		require.Len(t, w.logs.FilterMessageSnippet("does not return").All(), 1)
		close(blocked)
		time.Sleep(time.Minute)
		require.Equal(t, statusOK, host.last())
		require.Zero(t, w.metric("sap_btp_audit_delivery_pending"))
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// A gap record that the backend does not know must not stop what it announces a hole in.
func TestAGapRecordThatIsRefusedHoldsUpNothing(t *testing.T) {
	for name, refusal := range map[string]error{"for good": consumererror.NewPermanent(errDown), "for now": errDown} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 221}, func(c *Config) { c.InitialLookback = 0 })
				w.runFor(time.Hour)
				time.Sleep(100 * 24 * time.Hour)
				from := time.Now().Add(-5 * 24 * time.Hour)
				w.sim.Generate(w.sub.Tenant, 2000, from, time.Now().Add(40*time.Hour))
				w.sink.accept = func(logs plog.Logs) error {
					for _, lr := range observed.Records(logs) {
						if lr.EventName() == "sap.btp.audit.gap" {
							return refusal
						}
					}
					return nil
				}
				w.runFor(48 * time.Hour)
				w.requireExactlyOnce(sapbtp.Between(from, time.Now().Add(-8*time.Hour)))
				require.Zero(t, w.sink.count("sap.btp.audit.gap"))

				w.sink.refuse(nil)
				w.runFor(time.Hour)
				require.Equal(t, 1, w.sink.count("sap.btp.audit.gap"), "it is announced as soon as it is taken")
				require.Equal(t, 1, min(1, w.metric("sap_btp_audit_gap")))
			})
		})
	}
}
