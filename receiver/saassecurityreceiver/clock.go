// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"sync"
	"time"
)

const (
	// clockStep is by how much clocks may differ without meaning anything: Dates have whole seconds, and clocks are corrected.
	clockStep = time.Minute
	// lastingFor and lastingTimes are how long and how often Dates have to say what the local clock knows nothing of before they
	// are believed: one may come out of a cache.
	lastingFor   = 90 * time.Second
	lastingTimes = 3
)

// clock tells the time that the progress of reading is noted in, which is the local clock's. What that shows can change for two
// reasons: it was set, or the machine was asleep, which the counted time of a process does not see. Only the second lets
// events expire. The Dates of replies tell the two apart.
type clock struct {
	local func() time.Time // the local clock; nil is time.Now

	mu     sync.Mutex
	origin time.Time // from where passed time is counted
	last   moment    // of the last reply that was taken in
	offset time.Duration
	dated  bool // there is an offset: the server's clock minus the local one
	rival  rival
}

// moment is a point in time by both clocks.
type moment struct {
	passed time.Duration // that the process has counted
	shown  time.Time     // by the local clock
}

// rival is another offset, which replies in a row have shown.
type rival struct {
	offset time.Duration
	since  time.Duration
	times  int
}

func newClock(local func() time.Time) *clock {
	c := &clock{local: local, origin: time.Now()}
	c.last = c.moment()
	return c
}

func (c *clock) moment() moment {
	shown := time.Now()
	if c.local != nil {
		shown = c.local()
	}
	return moment{passed: time.Since(c.origin), shown: shown.Round(0)}
}

// step is how much more the local clock has moved than time was counted; 0 where that means nothing.
func (m moment) step(since moment) time.Duration {
	step := m.shown.Sub(since.shown) - (m.passed - since.passed)
	if near(step, 0) {
		return 0
	}
	return step
}

func near(a, b time.Duration) bool { return (a - b).Abs() <= clockStep }

// now is the present by the local clock as it was at the last reply. If it was set back since, that is left out; if it shows more
// than has passed, the machine may have been asleep.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.moment()
	return m.shown.Add(-min(0, m.step(c.last)))
}

// observe takes in the Date of a reply, zero if it had none, and when it came. It returns by how much the local clock was set since the
// reply before, so that what was noted by it can be set as well.
func (c *clock) observe(date time.Time, at moment) (set time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.passed < c.last.passed {
		return 0 // overtaken by another one
	}
	step := at.step(c.last)
	c.last = at
	// Time does not go back. Forward the local clock alone is believed: a gap too many is better than none.
	set = min(0, step)
	offset := date.Sub(at.shown)
	switch {
	case date.IsZero():
	case !c.dated:
		c.dated, c.offset = true, offset
		return set
	default:
		said := c.offset - offset
		switch {
		case near(said, 0) && step >= 0, step != 0 && said <= step+clockStep:
			c.offset, c.rival = offset, rival{}
			if near(said, 0) {
				return 0
			}
			return said
		case c.lasting(offset, at.passed):
			c.offset, c.rival = offset, rival{}
			return min(set, said)
		}
	}
	c.offset -= set
	return set
}

// lasting notes an offset that does not go with what the local clock shows, and reports whether it was shown for long.
func (c *clock) lasting(offset, passed time.Duration) bool {
	if c.rival.times == 0 || !near(c.rival.offset, offset) {
		c.rival = rival{offset: offset, since: passed}
	}
	c.rival.times++
	return c.rival.times >= lastingTimes && passed-c.rival.since >= lastingFor
}
