// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

func TestSinkDownForLongerThanEventsLive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 50 * time.Millisecond, LongPoll: 20 * time.Second})
		w.sink.refuse(errDown)
		l := w.mustStart()
		for range 30 { // three hours
			w.sim.Enqueue(100)
			time.Sleep(6 * time.Minute)
		}
		require.Zero(t, w.sink.events())
		require.Contains(t, l.host.troubles(), "delivery: ")
		require.NotContains(t, l.host.troubles(), "expiry", "reading goes on")
		require.GreaterOrEqual(t, w.metric("saas_security_spool_oldest_age"), 2*3600)
		require.Positive(t, w.metric("saas_security_spool_bytes"))

		w.sink.do(nil)
		time.Sleep(5 * time.Minute)
		w.requireDelivered(upTo(3000))
		require.Zero(t, w.sim.Ledger().Expired)
		require.Empty(t, l.host.troubles())
		require.Zero(t, w.metric("saas_security_spool_bytes"))
		l.stop(t)
	})
}

func TestFullSpoolStopsReadingAndDropsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{
			Latency: 50 * time.Millisecond, Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Oversize: 1 << 20}}},
		}, func(cfg *Config) { cfg.Spool.MaxSizeMiB = minSpoolMiB })
		w.sink.refuse(errDown)
		w.sim.Enqueue(4000)
		l := w.mustStart()
		time.Sleep(10 * time.Minute)
		require.Contains(t, l.host.troubles(), "spool: the spool is full: reading has stopped")
		require.Contains(t, l.host.history(), errSpoolFills.Error(), "it was said before, though a small spool is full well below 80 % of its limit")
		require.Equal(t, minSpoolMiB<<20, w.metric("saas_security_spool_limit"))
		full := w.metric("saas_security_spool_bytes")
		require.LessOrEqual(t, full, minSpoolMiB<<20)
		require.Greater(t, full, 10<<20)
		reads := len(w.sim.Ledger().Reads)
		time.Sleep(15 * time.Minute)
		require.Len(t, w.sim.Ledger().Reads, reads, "no read without room for what it brings")
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")

		w.sink.do(nil)
		time.Sleep(5 * time.Minute)
		w.requireDelivered(upTo(4000))
		w.requireAccounted()
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

func TestRecordRefusedForGoodIsQuarantinedAndNothingElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		poison := []byte(saassecurity.Marker(17))
		w.sink.do(func(_ context.Context, logs plog.Logs) error {
			for _, lr := range observed.Records(logs) {
				if bytes.Contains([]byte(lr.Body().AsString()), poison) {
					return consumererror.NewPermanent(errDown)
				}
			}
			return nil
		})
		w.sim.Enqueue(100)
		l := w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 99, w.sink.events(), "the others do not wait for it")
		require.Equal(t, 99, w.metric("saas_security_events_delivered"))
		time.Sleep(5 * time.Minute)
		require.Zero(t, w.metric("saas_security_events_quarantined"), "nothing else was accepted since")
		require.Contains(t, l.host.troubles(), "delivery: ")
		w.traffic(100, time.Hour)
		require.Equal(t, 199, w.sink.events())
		require.Equal(t, 199, w.metric("saas_security_events_delivered"))
		require.Equal(t, 1, w.metric("saas_security_events_quarantined"))
		require.Equal(t, 1, w.metric("saas_security_quarantine_entries"))
		require.Contains(t, l.host.troubles(), "quarantine: ")
		require.Zero(t, w.metric("saas_security_spool_entries"))
		l.stop(t)
	})
}

// traffic makes n events come one after the other within a time.
func (w *world) traffic(n int, within time.Duration) {
	w.t.Helper()
	for range n {
		w.sim.Enqueue(1)
		time.Sleep(within / time.Duration(n))
	}
}

// A reply with one event cannot be taken apart, so only what happens to others tells poison from an outage.
func TestSingleRecordRefusedForGoodIsFoundOutByOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Shape: saassecurity.ShapeSingle})
		poison := []byte(saassecurity.Marker(1))
		w.sink.do(func(_ context.Context, logs plog.Logs) error {
			if bytes.Contains([]byte(observed.Records(logs)[0].Body().AsString()), poison) {
				return consumererror.NewPermanent(errDown)
			}
			return nil
		})
		w.sim.Enqueue(1)
		l := w.mustStart()
		time.Sleep(10 * time.Minute)
		require.Zero(t, w.metric("saas_security_events_quarantined"), "it could be an outage")
		require.Equal(t, 1, w.metric("saas_security_spool_entries"))
		w.traffic(60, time.Hour)
		require.Equal(t, 60, w.sink.events())
		require.Equal(t, 60, w.metric("saas_security_events_delivered"))
		require.Equal(t, 1, w.metric("saas_security_events_quarantined"))
		require.Zero(t, w.metric("saas_security_spool_entries"))
		l.stop(t)
	})
}

func TestGivingUpKeepsEventsInTheSpool(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"retry disabled":   func(cfg *Config) { cfg.RetryOnFailure.Enabled = false },
		"retry has an end": func(cfg *Config) { cfg.RetryOnFailure.MaxElapsedTime = time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{}, change)
				w.sink.refuse(errDown)
				w.sim.Enqueue(500)
				l := w.mustStart()
				time.Sleep(10 * time.Minute)
				require.Equal(t, 5, w.metric("saas_security_spool_entries"))
				require.Less(t, w.sink.called(), 4*600, "no busy loop")
				w.sink.do(nil)
				time.Sleep(2 * time.Minute)
				w.requireDelivered(upTo(500))
				require.Equal(t, 500, w.metric("saas_security_events_read"), "however often they were tried")
				l.stop(t)
			})
		})
	}
}

func TestBodyIsMappedAsConfigured(t *testing.T) {
	const text = `{"log_type":"incident","item_name":"evt-00000001","severity":4.0,"serial":"s-1"}`
	for body, want := range map[string]any{
		bodyString: text, bodyMap: map[string]any{"log_type": "incident", "item_name": "evt-00000001", "severity": 4.0, "serial": "s-1"},
	} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.Body, cfg.IncludeOriginal = body, true })
			w.sim.EnqueueRaw(text)
			w.runFor(time.Second)
			lr := observed.Records(w.sink.logs[0])[0]
			require.Equal(t, want, lr.Body().AsRaw())
			require.Equal(t, "saas_security.incident", lr.EventName())
			original, _ := lr.Attributes().Get("log.record.original")
			require.Equal(t, text, original.Str()) //nolint:testifylint // byte by byte
			uid, _ := lr.Attributes().Get(attrUID)
			require.Regexp(t, `^[0-9A-HJKMNP-TV-Z]{26}-000$`, uid.Str())
			scope := w.sink.logs[0].ResourceLogs().At(0).ScopeLogs().At(0).Scope()
			require.Contains(t, scope.Name(), "saassecurityreceiver")
		})
	}
}
