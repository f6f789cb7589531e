// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"sync/atomic"
	"time"
)

// earliestDate is when version 2 of the API did not exist yet; a Date header before it says nothing about the time.
var earliestDate = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// sourceClock is the time up to which events may be asked for: the local clock, or the server's where that is behind. A
// clock that runs ahead would mark time as read that has not happened yet.
type sourceClock struct {
	skew atomic.Int64 // server minus local in nanoseconds, as of the last answer that had a Date
}

// observe takes in the Date header of an answer that has just arrived.
func (c *sourceClock) observe(date time.Time) {
	if date.After(earliestDate) {
		c.skew.Store(int64(time.Until(date)))
	}
}

// now is the source's time in Unix seconds.
func (c *sourceClock) now() int64 {
	return time.Now().Add(min(0, c.offset())).Unix()
}

// offset is the server's clock minus the local one. Date has whole seconds, so up to one second of it is rounding.
func (c *sourceClock) offset() time.Duration { return time.Duration(c.skew.Load()) }

// boundAt is the time that an answer proves to have passed at the source, for a request whose planned bound is given.
func boundAt(planned int64, date time.Time) int64 {
	if date.After(earliestDate) {
		return min(planned, date.Unix())
	}
	return planned
}
