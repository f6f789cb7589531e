// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

var apiDown = saassecurity.Rule{Fault: saassecurity.Fault{Status: 503}}

func TestDangerOfExpiryIsReportedInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{LongPoll: 20 * time.Second})
		l := w.mustStart()
		time.Sleep(5 * time.Minute)
		require.Less(t, w.metric("saas_security_expiry_risk"), 60)
		w.sim.AddRules(apiDown)
		time.Sleep(15 * time.Minute)
		require.NotContains(t, l.host.troubles(), "expiry")
		time.Sleep(7 * time.Minute)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
		require.InDelta(t, 22*60, w.metric("saas_security_expiry_risk"), 60)
		w.sim.ClearRules()
		w.sim.Enqueue(10)
		time.Sleep(2 * time.Minute)
		require.Empty(t, l.host.troubles())
		require.Less(t, w.metric("saas_security_expiry_risk"), 60)
		require.Zero(t, w.metric("saas_security_gap"))
		l.stop(t)
		w.requireDelivered(upTo(10))
	})
}

func TestReadingThatDoesNotKeepUpIsReportedToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 25 * time.Second}, func(cfg *Config) { cfg.MaxReaders = 1 })
		w.sim.Enqueue(6000)
		l := w.mustStart()
		time.Sleep(15 * time.Minute)
		require.Empty(t, l.host.troubles())
		time.Sleep(7 * time.Minute)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
		time.Sleep(5 * time.Minute)
		require.Empty(t, l.host.troubles())
		w.requireDelivered(upTo(6000))
		l.stop(t)
	})
}

func TestTimeThatWasNotReadIsAnnounced(t *testing.T) {
	for name, outage := range map[string]func(*world){
		"API down": func(w *world) {
			l := w.mustStart()
			time.Sleep(10 * time.Minute)
			w.sim.AddRules(apiDown)
			time.Sleep(3 * time.Hour)
			require.Contains(w.t, l.host.troubles(), "expiry: reading is behind for more than an hour")
			w.sim.ClearRules()
			time.Sleep(2 * time.Minute)
			require.Contains(w.t, l.host.troubles(), "gap: ")
			l.stop(w.t)
		},
		"collector down": func(w *world) {
			w.runFor(10 * time.Minute)
			time.Sleep(3 * time.Hour)
			w.runFor(2 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{})
				start := time.Now()
				outage(w)
				require.InDelta(t, 2*3600, w.metric("saas_security_gap"), 120)
				require.Equal(t, map[string]int{eventGap: 1}, w.sink.byName())
				lr := records(w.sink.logs[0])[0]
				attrs := lr.Attributes().AsRaw()
				from, err := time.Parse(time.RFC3339, attrs["saas_security.gap.from"].(string))
				require.NoError(t, err)
				require.InDelta(t, 10, from.Sub(start).Minutes(), 1)
				to, err := time.Parse(time.RFC3339, attrs["saas_security.gap.to"].(string))
				require.NoError(t, err)
				require.InDelta(t, 130, to.Sub(start).Minutes(), 2)
				require.Equal(t, to, lr.Timestamp().AsTime())
				require.NotEmpty(t, attrs[attrUID])
				require.Contains(t, w.messages(zapcore.ErrorLevel)[0], "Nothing was read for longer than the vendor keeps events")
			})
		})
	}
}

func TestFirstStartAnnouncesNoGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.sim.AddRules(apiDown)
		l := w.mustStart()
		time.Sleep(2 * time.Hour)
		w.sim.ClearRules()
		time.Sleep(2 * time.Minute)
		require.Empty(t, w.sink.byName(), "nobody knows since when there are events")
		l.stop(t)
	})
}
