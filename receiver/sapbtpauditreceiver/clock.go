// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"sync"
	"time"
)

const (
	// staleDate is how far a Date header may fall behind an earlier one. What lies further back comes out of a cache.
	staleDate = time.Minute
	// skewLife is how long a clock difference is believed without being seen again, so that a server with a wrong clock
	// cannot keep the receiver from ever asking again.
	skewLife = 10 * time.Minute
	// clockStep is by how many seconds the local clock may be set without being distrusted for it.
	clockStep = 60
)

// sourceClock is the time up to which events may be asked for: the local clock, or the server's where that is behind. A
// clock that runs ahead would mark time as read that has not happened yet.
type sourceClock struct {
	mu       sync.Mutex
	newest   time.Time     // newest Date so far
	skew     time.Duration // server minus local
	seen     time.Time     // when skew was seen
	answered time.Time     // when there was an answer last, with Date or without; zero before the first
	showed   int64         // what the local clock showed then, Unix seconds
}

// observe takes in the Date header of an answer that has just arrived; zero if it had none.
func (c *sourceClock) observe(date time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = time.Now()
	c.showed = c.answered.Unix()
	if date.IsZero() || date.Before(c.newest.Add(-staleDate)) {
		return
	}
	c.newest = date
	c.skew, c.seen = time.Until(date), time.Now()
}

// now is the source's time in Unix seconds.
func (c *sourceClock) now() int64 { return sourceTime(c.offset()) }

// offset is the server's clock minus the local one, at least: up to one second more, as Date has whole seconds.
func (c *sourceClock) offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.seen) > skewLife {
		return 0
	}
	return c.skew
}

// proven is the source's time as far as the last answer tells, however long ago that was. It reports false before the first
// one, and when the local clock was set since then: one that is far ahead has not shown yet.
func (c *sourceClock) proven() (int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := time.Since(c.answered) // really, whatever the clock shows
	step := time.Now().Unix() - c.showed - int64(passed/time.Second)
	return sourceTime(c.skew), !c.answered.IsZero() && max(step, -step) <= clockStep
}

// sourceTime is the source's time in Unix seconds for a difference of clocks. As Date has whole seconds, a server whose clock
// is right seems to be up to a second behind; taking that for real would leave the newest events to the next poll.
func sourceTime(skew time.Duration) int64 {
	return time.Now().Add(min(0, skew+time.Second)).Unix()
}

// boundAt is the time that an answer proves to have passed at the source, for a request whose planned bound is given.
func boundAt(planned int64, date time.Time) int64 {
	if date.IsZero() {
		return planned
	}
	return min(planned, date.Unix())
}
