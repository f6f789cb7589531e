// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clocks are a local clock and a server's that are off by so much, with the sourceClock between them.
type clocks struct {
	sourceClock
	localOff, serverOff time.Duration
}

func newClocks() *clocks {
	c := &clocks{}
	c.local = func() time.Time { return time.Now().Add(c.localOff) }
	return c
}

// answer is one with the server's Date, n of them at this interval.
func (c *clocks) answer(n int, every time.Duration) {
	for range n {
		c.observe(time.Now().Add(c.serverOff))
		time.Sleep(every)
	}
}

// requireSource checks the trust, and the source's time as it differs from the true one.
func (c *clocks) requireSource(t *testing.T, want clockTrust, off time.Duration, msg string) {
	t.Helper()
	now, got := c.source()
	require.Equal(t, want, got, msg)
	require.InDelta(t, time.Now().Add(off).Unix(), now, 1, msg)
}

func (c *clocks) requireNow(t *testing.T, off time.Duration, msg string) {
	t.Helper()
	require.InDelta(t, time.Now().Add(off).Unix(), c.now(), 1, msg)
}

const month = 30 * day

func TestClocksThatAgreeAreBelievedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClocks()
		c.requireSource(t, unknown, 0, "nothing was answered yet")
		c.answer(1, 0)
		c.requireSource(t, trusted, 0, "by one Date")
		c.requireNow(t, 0, "by both")
	})
}

func TestADateThatContradictsTheLocalClockIsBelievedOnceItLasts(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour, "months ahead": 4 * month, "months behind": -4 * month} {
		t.Run(name, func(t *testing.T) {
			virtually(t, func(t *testing.T) {
				c := newClocks()
				c.localOff = off
				c.answer(20, time.Second)
				c.requireSource(t, doubted, off, "many, but not for long")
				c.requireNow(t, off, "so that more answers come")
				c.answer(4, 30*time.Second)
				c.requireSource(t, trusted, 0, "by the server's clock")
				c.requireNow(t, min(off, 0), "the earlier of both")
			})
		})
	}
}

func TestOneOddDateIsNotBelievedAndHidesNoOther(t *testing.T) {
	for name, odd := range map[string]time.Duration{"far ahead": 100 * month, "ahead": 2 * time.Hour, "behind": -2 * time.Hour, "far behind": -100 * month} {
		t.Run(name, func(t *testing.T) {
			virtually(t, func(t *testing.T) {
				c := newClocks()
				c.observe(time.Now().Add(odd))
				c.requireSource(t, doubted, 0, "the first of all")
				c.answer(1, time.Minute)
				c.requireSource(t, trusted, 0, "the next one is right")
				c.observe(time.Now().Add(odd))
				c.requireSource(t, trusted, 0, "among right ones")
				c.localOff = time.Hour
				c.answer(1, 0)
				c.requireNow(t, 0, "the local clock was set ahead afterwards")
				c.observe(time.Now().Add(odd))
				c.requireNow(t, 0, "and does not count for an odd Date")
			})
		})
	}
}

func TestADateThatStandsStillIsNeverBelieved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClocks()
		cached := time.Now().Add(-month)
		for range 500 {
			c.observe(cached)
			time.Sleep(10 * time.Second)
			_, trust := c.source()
			require.Equal(t, doubted, trust)
		}
		c.requireNow(t, 0, "by the local clock")
		c.localOff = 0
		c.answer(1, 0)
		c.requireSource(t, trusted, 0, "a live one at last")
	})
}

func TestALocalClockThatWasSetIsNotTrustedBeforeTheNextAnswer(t *testing.T) {
	for name, step := range map[string]time.Duration{"ahead": 100 * day, "back": -100 * day, "by hours": -4 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			virtually(t, func(t *testing.T) {
				c := newClocks()
				c.answer(1, time.Minute)
				c.localOff = step
				c.requireSource(t, unknown, step, "set")
				c.requireNow(t, step, "so that an answer comes")
				c.answer(1, 0)
				c.requireSource(t, trusted, 0, "the server's goes on as before")
				c.requireNow(t, min(0, step), "the earlier of both")
			})
		})
	}
}

// While a machine sleeps only its local clock and the server's go on.
func TestAMachineThatWokeUpGoesOnWithTheFirstAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClocks()
		c.answer(3, time.Minute)
		c.localOff, c.serverOff = 5*time.Hour, 5*time.Hour
		c.requireNow(t, 5*time.Hour, "so that it is asked for")
		bound, _ := c.bound(c.now(), time.Time{})
		require.InDelta(t, time.Now().Unix(), bound, 2, "an answer without Date proves nothing of that")
		c.answer(1, 0)
		c.requireSource(t, trusted, 5*time.Hour, "both clocks say so")
	})
}

func TestWithoutDatesTheLocalClockProvesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClocks()
		c.localOff = 200 * day
		for range 10 {
			c.observe(time.Time{})
			time.Sleep(time.Minute)
		}
		c.requireSource(t, undated, 200*day, "there is nothing else")
		bound, byDate := c.bound(c.now(), time.Time{})
		require.InDelta(t, time.Now().Add(200*day).Unix(), bound, 1)
		assert.False(t, byDate)
	})
}

func TestAnAnswerProvesTheTimeOfItsDate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClocks()
		c.localOff = time.Hour
		_, byDate := c.bound(0, time.Now())
		assert.False(t, byDate, "before it is known")
		c.answer(5, time.Minute)
		planned := time.Now().Add(time.Hour).Unix()
		for name, tc := range map[string]struct {
			date   time.Time
			off    time.Duration
			byDate bool
		}{
			"right":           {time.Now(), 0, true},
			"out of a cache":  {time.Now().Add(-day), -day, false},
			"far ahead":       {time.Now().Add(day), 0, false},
			"none, but known": {time.Time{}, 0, false},
		} {
			bound, byDate := c.bound(planned, tc.date)
			assert.InDelta(t, time.Now().Add(tc.off).Unix(), bound, 1, name)
			assert.Equal(t, tc.byDate, byDate, name)
		}
	})
}

// That the server's clock is believed for a while only must not make the local one count where something is given up.
func TestWhatAnAnswerHasProvenHoldsForLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClocks()
		c.localOff = 100 * day
		c.answer(5, time.Minute)
		time.Sleep(95 * day)
		c.requireNow(t, 100*day, "so that it is asked for again")
		c.requireSource(t, trusted, 0, "as before")
	})
}
