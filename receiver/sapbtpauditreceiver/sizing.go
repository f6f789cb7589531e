// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import "sync"

const (
	// recordsPerWindow is what a window should bring: ten pages, so that a window that has to be read again costs little and
	// a run of windows keeps several readers busy.
	recordsPerWindow = 5000
	firstWindow      = 3600
	longestWindow    = 24 * 3600
	// shortestSized is how far failures shorten windows; a failing second is cut out by setting its window aside.
	shortestSized = 60
	// provenWindows is how many of the longest windows that are not refused prove that longer ones may be tried again. It
	// doubles each time that they are refused nevertheless, up to maxProven.
	provenWindows = 20
	maxProven     = 64 * provenWindows
)

// sizing learns how dense the events are and how long a window may be, in seconds of event time.
type sizing struct {
	mu     sync.Mutex
	length int64
	rate   float64 // records per second of event time, negative when unknown

	longest int64 // what the server may refuse to go beyond
	proven  int   // windows of that length read since it was set
	enough  int   // how many of them allow for longer ones
	raised  bool  // longest is what shorter ones have allowed for, and none of that length was read yet
}

func newSizing() *sizing {
	return &sizing{length: firstWindow, longest: longestWindow, enough: provenWindows, rate: -1}
}

// closed learns from a window that was read to its end. How long windows may be follows from those that were as long as
// windows may be: what is new is read in short ones, and says nothing about the past.
func (z *sizing) closed(seconds int64, records int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	rate := float64(records) / float64(max(1, seconds))
	if z.rate < 0 {
		z.rate = rate
	}
	// A rise counts at once, a fall gradually: guessing too many records costs a request, guessing too few costs a window
	// of many pages.
	z.rate = max(rate, 0.8*z.rate+0.2*rate)
	if 2*seconds < z.length && records < recordsPerWindow {
		return
	}
	if seconds >= z.longest {
		z.proven++
		if z.raised {
			z.raised, z.enough = false, provenWindows
		}
	}
	if z.proven >= z.enough && z.longest < longestWindow {
		z.longest, z.proven, z.raised = min(longestWindow, 2*z.longest), 0, true
	}
	fitting := z.longest
	if records > 0 {
		fitting = int64(min(float64(z.longest), recordsPerWindow/rate))
	}
	z.length = max(1, min(fitting, 4*max(z.length, shortestSized)))
}

// failed shortens windows after an answer that may have been too much for the server.
func (z *sizing) failed() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.length = max(min(shortestSized, z.length), z.length/2)
}

// refused shortens windows after the server has refused one of this length, which may have been too long for it. The shortest
// are not: of a second that cannot be read the past must not learn.
func (z *sizing) refused(seconds int64) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if seconds <= shortestSized {
		return
	}
	if z.raised {
		z.raised, z.enough = false, min(2*z.enough, maxProven)
	}
	z.longest, z.proven = max(shortestSized, min(z.longest, seconds/2)), 0
	z.length = min(z.length, z.longest)
}

func (z *sizing) window() int64 {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.length
}

func (z *sizing) density() float64 {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.rate
}
