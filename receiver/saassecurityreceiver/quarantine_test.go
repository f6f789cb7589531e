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

// refusing is a backend that refuses for good what holds one of these texts.
func refusing(texts ...string) func(context.Context, plog.Logs) error {
	return func(_ context.Context, logs plog.Logs) error {
		for _, lr := range observed.Records(logs) {
			for _, text := range texts {
				if lr.EventName() == text || bytes.Contains([]byte(lr.Body().AsString()), []byte(text)) {
					return consumererror.NewPermanent(errDown)
				}
			}
		}
		return nil
	}
}

// quarantined makes a world with event 17 of 100 in the quarantine.
func quarantined(t *testing.T, configure ...func(*Config)) (*world, *life) {
	t.Helper()
	w := newWorld(t, saassecurity.Options{}, configure...)
	w.sink.do(refusing(saassecurity.Marker(17)))
	w.sim.Enqueue(50)
	l := w.mustStart()
	w.traffic(50, time.Hour)
	time.Sleep(time.Hour)
	require.Equal(t, 1, w.metric("saas_security_quarantine_entries"))
	require.Equal(t, 99, w.sink.events())
	return w, l
}

func TestWhatWasRefusedIsOfferedAgainAtTheNextStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := quarantined(t)
		l.stop(t)

		l = w.mustStart()
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.metric("saas_security_quarantine_entries"), "it is refused once more, and stays")
		require.Equal(t, 1, w.metric("saas_security_events_quarantined"), "and does not count anew")
		require.Equal(t, 99, w.metric("saas_security_events_delivered"))
		require.Contains(t, l.host.troubles(), "quarantine: ")
		l.stop(t)

		w.sink.do(nil)
		l = w.mustStart()
		time.Sleep(time.Minute)
		require.Zero(t, w.metric("saas_security_quarantine_entries"))
		require.Equal(t, 1, w.metric("saas_security_events_quarantined"))
		require.Equal(t, 100, w.metric("saas_security_events_delivered"))
		require.Empty(t, l.host.troubles())
		w.requireDelivered(upTo(100))
		l.stop(t)
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
				w, l := quarantined(t, func(cfg *Config) { cfg.Quarantine.RetryInterval = tc.interval })
				w.sink.do(nil)
				if tc.after == 0 {
					time.Sleep(50 * time.Hour)
					require.Equal(t, 99, w.sink.events())
					l.stop(t)
					return
				}
				time.Sleep(time.Until(begin.Add(tc.after - time.Minute)))
				require.Equal(t, 99, w.sink.events())
				time.Sleep(2 * time.Minute)
				w.requireDelivered(upTo(100))
				require.Empty(t, l.host.troubles())
				l.stop(t)
			})
		})
	}
}

// The quarantine waits for a backend that is down; the spool does not wait for the quarantine.
func TestTheQuarantineDoesNotHoldUpTheSpool(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := quarantined(t)
		l.stop(t)
		blocked := make(chan struct{})
		w.sink.do(func(ctx context.Context, logs plog.Logs) error {
			if refusing(saassecurity.Marker(17))(ctx, logs) == nil {
				return nil
			}
			select {
			case <-blocked:
			case <-ctx.Done():
			}
			return errDown
		})
		l = w.mustStart()
		w.sim.Enqueue(900)
		time.Sleep(5 * time.Minute)
		require.Equal(t, 999, w.sink.events())
		l.stop(t)
		close(blocked)
	})
}

func TestADamagedIndexOfTheQuarantineIsNoReasonNotToStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := quarantined(t)
		l.stop(t)
		w.disk.Flip(t, "/quarantine/index", 40)
		w.disk.Flip(t, "/quarantine/copy", 40)
		l = w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.metric("saas_security_quarantine_entries"), "it is found again")
		require.Zero(t, w.metric("saas_security_quarantine_unreadable"))
		require.Contains(t, l.host.troubles(), "quarantine damage: the index of the quarantine was damaged")
		l.stop(t)

		w.disk.Flip(t, "/quarantine/item/1", 200)
		w.sink.do(nil)
		l = w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.metric("saas_security_quarantine_unreadable"))
		require.Equal(t, 1, w.metric("saas_security_quarantine_entries"), "damage is not forgotten")
		require.Contains(t, l.host.troubles(), "quarantine damage: 1 of the 1 entries of the quarantine are damaged")
		require.Equal(t, 99, w.sink.events())
		l.stop(t)
	})
}

// The README's own exporter retries for ever and does not return meanwhile.
func TestACallThatDoesNotReturnIsAStatusAndAMetric(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		blocked := make(chan struct{})
		w.sink.do(func(context.Context, plog.Logs) error { <-blocked; return nil })
		w.sim.Enqueue(1000)
		l := w.mustStart()
		time.Sleep(55 * time.Second)
		require.Empty(t, l.host.troubles())
		require.InDelta(t, 55, w.metric("saas_security_delivery_pending"), 2)
		time.Sleep(3 * time.Hour)
		require.Contains(t, l.host.troubles(), "delivery: the next component has not returned for more than a minute")
		require.InDelta(t, 3*3600+55, w.metric("saas_security_delivery_pending"), 2)
		require.Len(t, w.logs.FilterMessageSnippet("does not return").All(), 1)
		w.sink.do(nil)
		close(blocked)
		time.Sleep(time.Minute)
		require.Empty(t, l.host.troubles())
		require.Zero(t, w.metric("saas_security_delivery_pending"))
		w.requireDelivered(upTo(1000))
		l.stop(t)
	})
}

// A gap record that the backend does not know must not stop what it announces a hole in.
func TestAGapRecordThatIsRefusedForGoodHoldsUpNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.MaxReaders = 1 })
		w.runFor(10 * time.Minute)
		time.Sleep(3 * time.Hour)
		w.sink.do(refusing(eventGap))
		l := w.mustStart()
		for range 100 {
			w.sim.Enqueue(3)
			time.Sleep(time.Minute)
		}
		require.Equal(t, 300, w.sink.events())
		require.Equal(t, 1, w.metric("saas_security_quarantine_entries"))
		require.Zero(t, w.metric("saas_security_spool_entries"))
		l.stop(t)

		w.sink.do(nil)
		l = w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 300, w.metric("saas_security_events_delivered"), "a gap is no event")
		l.stop(t)
		require.Equal(t, 1, w.sink.names[eventGap])
	})
}
