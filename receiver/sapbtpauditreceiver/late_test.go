// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// Events become visible 10 minutes to 5 hours after their time and not in order. Each has to arrive, once, within about
// twice its lateness: on average less, and never more than three times of it.
func TestLateEventsArriveOnceWithinAboutTwiceTheirLateness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		late, err := sapbtp.ParseLateness("50:0s-20s,30:10m-30m,20:30m-5h")
		require.NoError(t, err)
		w := newWorld(t, sapbtp.Options{Seed: 7, Lateness: late, Readings: sapbtp.Readings{Order: sapbtp.Shuffled}}, func(c *Config) {
			c.InitialLookback = 0
		})
		w.sim.Generate(w.sub.Tenant, 5000, time.Now().Add(time.Second), time.Now().Add(4*time.Hour))
		w.runFor(12 * time.Hour)
		w.requireExactlyOnce()
		cfg, n, ratios := w.config(), 0, 0.0
		for e := range w.sim.Ledger().Entries() {
			lateness := e.VisibleAt.Sub(e.Time)
			took := w.sink.at[e.ID].Sub(e.Time)
			next := cfg.Sweeps[slices.IndexFunc(cfg.Sweeps, func(d time.Duration) bool { return d >= lateness })]
			require.LessOrEqual(t, took, next*5/4+cfg.PollInterval, "lateness %s", lateness)
			require.LessOrEqual(t, took, 3*lateness+2*time.Minute, "lateness %s", lateness)
			if lateness >= 10*time.Minute {
				n++
				ratios += took.Seconds() / lateness.Seconds()
			}
		}
		require.Greater(t, n, 2000)
		t.Logf("late events arrived after %.2f times their lateness on average", ratios/float64(n))
		require.Less(t, ratios/float64(n), 2.0)
	})
}

// The same with sweeps that grow twofold shows the bound itself.
func TestWithDoublingSweepsEveryEventArrivesWithinTwoAndAHalfTimesItsLateness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		late, err := sapbtp.ParseLateness("1:10s-300s")
		require.NoError(t, err)
		w := newWorld(t, sapbtp.Options{Seed: 8, Lateness: late}, func(c *Config) {
			c.InitialLookback = 0
			c.PollInterval = time.Second
			c.RequestsPerSecond = 100
			c.Sweeps = []time.Duration{
				0, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 320 * time.Second,
			}
		})
		w.sim.Generate(w.sub.Tenant, 2000, time.Now().Add(time.Second), time.Now().Add(30*time.Minute))
		w.runFor(50 * time.Minute)
		w.requireExactlyOnce()
		for e := range w.sim.Ledger().Entries() {
			lateness := e.VisibleAt.Sub(e.Time)
			took := w.sink.at[e.ID].Sub(e.Time)
			require.LessOrEqual(t, took, 5*lateness/2+5*time.Second, "lateness %s", lateness)
		}
	})
}
