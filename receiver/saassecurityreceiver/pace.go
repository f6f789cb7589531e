// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"math/rand/v2"
	"time"
)

const (
	// steady is how many replies with events in a row, none of them full, mean as much as a full one: a server that gives
	// less than 100 at a time must not be read by one reader for ever.
	steady = 10

	minPause = time.Second
	maxPause = time.Minute
	// maxServerPause bounds what a Retry-After can ask for: events expire after an hour.
	maxServerPause = 5 * time.Minute
)

// pace says how many reads may be open and how long to wait after a failure. It belongs to one goroutine.
type pace struct {
	most    int // limit of readers
	readers int
	streak  int
	pause   time.Duration // last pause after a failure, without jitter
	jitter  func() float64
}

func newPace(most int) *pace {
	return &pace{most: most, readers: 1, jitter: rand.Float64}
}

// observe learns from a reply that came whole. Exposure to a crash is 100 events for each open read, so there is one reader
// normally, and more only while replies are full.
func (p *pace) observe(r *reply) {
	p.pause = 0
	if r.empty() {
		p.readers, p.streak = 1, 0
		return
	}
	p.streak++
	switch {
	case r.full() || p.streak >= steady:
		p.readers, p.streak = min(p.readers+1, p.most), 0
	case p.readers > 1:
		p.readers--
	}
}

// failed returns how long to wait after a failed read.
func (p *pace) failed(asked time.Duration) time.Duration {
	p.readers, p.streak = 1, 0
	p.pause = min(max(2*p.pause, minPause), maxPause)
	wait := time.Duration(float64(p.pause) * (0.75 + 0.5*p.jitter()))
	return max(wait, min(asked, maxServerPause))
}
