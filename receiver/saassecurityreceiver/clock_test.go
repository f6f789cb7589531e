// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// shiftedClocks are the local clock and that of the API, which go on beside the time that a process counts.
type shiftedClocks struct {
	next        http.RoundTripper
	local, sent atomic.Int64 // how far they are ahead of it, in nanoseconds
	undated     bool         // replies have no Date
}

func (c *shiftedClocks) now() time.Time { return time.Now().Add(time.Duration(c.local.Load())) }

func (c *shiftedClocks) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Header.Set("Date", time.Now().Add(time.Duration(c.sent.Load())).UTC().Format(http.TimeFormat))
	if c.undated {
		resp.Header.Del("Date")
	}
	return resp, nil
}

func (c *shiftedClocks) move(local, sent time.Duration) {
	c.local.Add(int64(local))
	c.sent.Add(int64(sent))
}

// A machine that sleeps counts no time, and a clock that is set shows time that has not passed. Only what the vendor's clock
// shows as well lets events expire.
func TestSleepIsAGapAndAClockThatIsSetIsNone(t *testing.T) {
	const h = time.Hour
	for name, tc := range map[string]struct {
		undated     bool
		local, sent time.Duration // by how much the clocks move without time being counted
		gap         int           // seconds
	}{
		"asleep":                               {false, 3 * h, 3 * h, 7200},
		"asleep for less than events are kept": {false, 50 * time.Minute, 50 * time.Minute, 0},
		"set forward":                          {false, 3 * h, 0, 0},
		"set back":                             {false, -3 * h, 0, 0},
		"asleep, and then set back":            {false, 0, 3 * h, 7200},
		"asleep, and then set back by more":    {false, -h, 3 * h, 7200},
		"asleep, and then set forward":         {false, 5 * h, 3 * h, 7200},
		"asleep, and then set back by a part":  {false, 2 * h, 3 * h, 7200},
		"no Date: asleep":                      {true, 3 * h, 3 * h, 7200},
		"no Date: set back":                    {true, -3 * h, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{})
				clocks := &shiftedClocks{next: w.network.reads, undated: tc.undated}
				w.network.reads = clocks
				l := w.prepare()
				l.local = clocks.now
				require.NoError(t, l.Start(t.Context(), l.host))
				time.Sleep(10 * time.Minute)
				clocks.move(tc.local, tc.sent)
				time.Sleep(10 * time.Minute)
				require.InDelta(t, tc.gap, w.metric("saas_security_gap"), 120)
				require.Less(t, w.metric("saas_security_expiry_risk"), 60)
				require.GreaterOrEqual(t, w.metric("saas_security_expiry_risk"), 0)

				// And what follows is measured as ever.
				w.sim.AddRules(apiDown)
				time.Sleep(2 * h)
				require.InDelta(t, 7200, w.metric("saas_security_expiry_risk"), 120)
				w.sim.ClearRules()
				time.Sleep(3 * time.Minute)
				require.InDelta(t, tc.gap+3600, w.metric("saas_security_gap"), 240)
				l.stop(t)
			})
		})
	}
}

// Nothing but the local clock tells while the API is down.
func TestSleepWhileTheAPIIsDownIsADanger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		clocks := &shiftedClocks{next: w.network.reads}
		w.network.reads = clocks
		l := w.prepare()
		l.local = clocks.now
		require.NoError(t, l.Start(t.Context(), l.host))
		time.Sleep(10 * time.Minute)
		w.sim.AddRules(apiDown)
		time.Sleep(time.Minute)
		clocks.move(30*time.Minute, 30*time.Minute)
		time.Sleep(time.Minute)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
		clocks.move(-3*time.Hour, 0)
		time.Sleep(22 * time.Minute)
		require.Contains(t, l.host.troubles(), "expiry: ", "a clock that is set back hides no danger")
		w.sim.ClearRules()
		time.Sleep(3 * time.Minute)
		require.Empty(t, l.host.troubles())
		require.Zero(t, w.metric("saas_security_gap"))
		l.stop(t)
	})
}

// A Date that comes out of a cache, or from a server whose clock is wrong for a moment, is no time that has passed.
func TestASingleDateMovesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		clocks := &shiftedClocks{next: w.network.reads}
		w.network.reads = clocks
		l := w.prepare()
		l.local = clocks.now
		require.NoError(t, l.Start(t.Context(), l.host))
		for _, off := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
			time.Sleep(10 * time.Minute)
			clocks.move(0, off)
			time.Sleep(time.Minute)
			clocks.move(0, -off)
			time.Sleep(10 * time.Minute)
			require.Zero(t, w.metric("saas_security_gap"))
			require.Less(t, w.metric("saas_security_expiry_risk"), 60)
		}
		l.stop(t)
	})
}

// After a sleep, too, a Date can come out of a cache.
func TestADateOutOfACacheHidesNoSleep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		clocks := &shiftedClocks{next: w.network.reads}
		w.network.reads = clocks
		l := w.prepare()
		l.local = clocks.now
		require.NoError(t, l.Start(t.Context(), l.host))
		time.Sleep(10 * time.Minute)
		clocks.move(3*time.Hour, -2*time.Hour)
		time.Sleep(time.Minute)
		clocks.move(0, 5*time.Hour)
		time.Sleep(10 * time.Minute)
		require.InDelta(t, 7200, w.metric("saas_security_gap"), 120)
		require.Less(t, w.metric("saas_security_expiry_risk"), 60)
		l.stop(t)
	})
}
