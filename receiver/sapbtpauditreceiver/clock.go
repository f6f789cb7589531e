// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"sync"
	"time"
)

const (
	// clockStep is by how much clocks may differ, and the local one be set, without being distrusted for it. A Date that lies
	// further off comes out of a cache, or from a clock that is wrong.
	clockStep = time.Minute
	// lastingTimes and lastingFor are how often, and for how long, Dates that contradict the local clock have to agree with each
	// other before they are believed. It is longer than clockStep, so that a Date that stands still never does.
	lastingTimes = 3
	lastingFor   = 90 * time.Second
	// skewLife is how long a clock difference is believed without being seen again, so that a server with a wrong clock
	// cannot keep the receiver from ever asking again.
	skewLife = 10 * time.Minute
)

// sourceClock tells the time at the source from two clocks that may both be wrong: the local one, which may be set while the
// receiver runs, and the server's, which the Date of an answer shows, if it is not out of a cache. Between answers it counts the
// time that has really passed, whatever the local clock shows.
type sourceClock struct {
	local func() time.Time // the local clock; nil is time.Now

	mu       sync.Mutex
	origin   time.Time     // from where passed time is counted
	known    dates         // those that are believed
	rival    dates         // those that contradict them, in a row
	sure     bool          // known agrees with the local clock, or was seen for long
	answered bool          // there was an answer, with Date or without
	shift    time.Duration // what the local clock showed more than had passed, at the last answer
}

// dates are Dates that agree with each other.
type dates struct {
	zero        time.Time     // the server's time at the clock's origin, by the first of them
	latest      time.Time     // the same by the last of them
	first, last time.Duration // when they were seen, since the origin
	times       int
}

func newDates(zero time.Time, passed time.Duration) dates {
	return dates{zero: zero, latest: zero, first: passed, last: passed, times: 1}
}

func (d *dates) like(zero time.Time) bool { return d.times > 0 && near(d.zero, zero) }

func (d *dates) again(zero time.Time, passed time.Duration) {
	d.latest, d.last, d.times = zero, passed, d.times+1
}

func (d *dates) lasting() bool { return d.times >= lastingTimes && d.last-d.first >= lastingFor }

func near(a, b time.Time) bool { return a.Sub(b).Abs() <= clockStep }

// showing is what the local clock shows.
func (c *sourceClock) showing() time.Time {
	if c.local != nil {
		return c.local().Round(0)
	}
	return time.Now().Round(0)
}

// passed is the time since the origin; mu is held.
func (c *sourceClock) passed() time.Duration {
	if c.origin.IsZero() {
		c.origin = time.Now()
	}
	return time.Since(c.origin)
}

// observe takes in the Date header of an answer that has just arrived; zero if it had none.
func (c *sourceClock) observe(date time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed, local := c.passed(), c.showing()
	c.answered, c.shift = true, c.shifted(passed)
	if date.IsZero() {
		return
	}
	zero := date.Add(-passed)
	switch {
	case c.known.like(zero):
		c.known.again(zero, passed)
		c.sure = c.sure || c.known.lasting() || near(date, local)
		c.rival = dates{}
	case near(date, local):
		c.known, c.sure, c.rival = newDates(zero, passed), true, dates{}
	case c.known.times == 0:
		c.known = newDates(zero, passed)
	case c.rival.like(zero):
		if c.rival.again(zero, passed); c.rival.lasting() {
			c.known, c.sure, c.rival = c.rival, true, dates{}
		}
	default:
		c.rival = newDates(zero, passed)
	}
}

// shifted is by how much more the local clock has moved since the origin than time has passed; mu is held.
func (c *sourceClock) shifted(passed time.Duration) time.Duration {
	return c.showing().Sub(c.origin.Round(0)) - passed
}

// stepped reports whether the local clock was set, or the machine asleep, since the last answer; mu is held.
func (c *sourceClock) stepped(passed time.Duration) bool {
	return c.answered && (c.shifted(passed)-c.shift).Abs() > clockStep
}

// now is the time up to which events may be asked for, in Unix seconds: the local clock, or the server's where that is surely
// behind. What an answer then proves to have passed is for bound to say.
func (c *sourceClock) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed, local := c.passed(), c.showing().Unix()
	if !c.sure || c.stepped(passed) || passed-c.known.last > skewLife {
		return local
	}
	return min(local, c.server(passed))
}

// server is the server's time in Unix seconds by the Dates that are believed, or up to a second later: as Date has whole
// seconds, a server whose clock is right seems to be behind, and the newest events would be left to the next poll. mu is held.
func (c *sourceClock) server(passed time.Duration) int64 {
	return c.known.latest.Add(passed + time.Second).Unix()
}

// offset is the server's clock minus the local one, at least: up to one second more, as Date has whole seconds. It is zero while
// that is not known.
func (c *sourceClock) offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := c.passed()
	if c.known.times == 0 || passed-c.known.last > skewLife {
		return 0
	}
	return c.known.latest.Add(passed).Sub(c.showing())
}

// clockTrust is how far the source's time is known.
type clockTrust int

const (
	unknown clockTrust = iota // an answer has to show it
	doubted                   // Dates contradict the local clock, and too few have been seen
	undated                   // answers come without Date: there is the local clock alone
	trusted                   // by Dates, since they agree with the local clock or for long with each other
)

// source is the source's time in Unix seconds as far as answers tell, however long ago the last one was. It is that of the local
// clock while Dates do not prove another.
func (c *sourceClock) source() (int64, clockTrust) {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed, local := c.passed(), c.showing().Unix()
	switch {
	case !c.answered || c.stepped(passed):
		return local, unknown
	case c.sure:
		return c.server(passed), trusted
	case c.known.times > 0:
		return local, doubted
	default:
		return local, undated
	}
}

// dated is the server's time in Unix seconds by its Dates, also while these are few; false if there was none.
func (c *sourceClock) dated() (int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server(c.passed()), c.known.times > 0
}

// bound is the time that an answer proves to have passed at the source, for a request whose planned bound is given. Where the
// answer has no Date, or one that is not like the others, those count, too. It reports whether a Date has proven it.
func (c *sourceClock) bound(planned int64, date time.Time) (bound int64, byDate bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := c.passed()
	byDate = !date.IsZero() && c.known.like(date.Add(-passed))
	if !date.IsZero() {
		planned = min(planned, date.Unix())
	}
	if !byDate && c.known.times > 0 {
		planned = min(planned, c.server(passed)-1)
	}
	return planned, byDate
}
