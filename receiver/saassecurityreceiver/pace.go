// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"math/rand/v2"
	"time"
)

const (
	// steady is how many short replies, in how much time, say what the readers bring.
	steady     = 30
	steadyTime = 5 * time.Second

	// remeasure is how long it holds what one reader alone brings, as traffic changes. It is well below riskAfter.
	remeasure = 10 * time.Minute

	minPause = time.Second
	maxPause = time.Minute
	// maxServerPause bounds what a Retry-After can ask for: events expire after an hour.
	maxServerPause = 5 * time.Minute
)

// pace says how many reads may be open, whether reading has caught up, and how long to wait after a failure. It belongs to one
// goroutine.
//
// Exposure to a crash is 100 events for each open read, so there is one reader normally, and more only while events are
// waiting. A full reply shows that they are, an empty one that they are not. A short one shows nothing: the server may give less
// than 100 whatever is waiting. But a second reader tells: if events are waiting it brings as many as the first one; if
// not, the two share what comes in.
type pace struct {
	allowed  int // limit of readers
	most     int // that there can be at the size of the replies
	size     int // of a large reply lately, in bytes
	readers  int
	lately   sample        // with this number of readers
	alone    float64       // events a second that one reader brought; 0 if not known
	measured time.Time     // when it did
	pause    time.Duration // last pause after a failure, without jitter
	jitter   func() float64
}

// sample is what short replies have brought while reading went on.
type sample struct {
	last            time.Time // when the last of them came; zero if reading has stood still since
	took            time.Duration
	replies, events int
}

func (s *sample) add(r *reply) {
	if !s.last.IsZero() { // the first one brings what came in before it
		s.took += r.at.Sub(s.last)
		s.replies++
		s.events += r.events
	}
	s.last = r.at
}

func newPace(most int) *pace {
	return &pace{allowed: most, most: most, readers: 1, jitter: rand.Float64}
}

// observe learns from a reply that came whole, and reports whether it shows that little or nothing is waiting.
func (p *pace) observe(r *reply) (caughtUp bool) {
	p.pause = 0
	switch {
	case r.empty():
		p.startOver()
		return true
	case r.full():
		p.lately, p.alone = sample{}, 0
		p.readers = min(p.readers+1, p.most)
		return false
	case p.most == 1:
		return r.path == pathBulk // with nothing to compare it with, a short reply is taken for the rest
	}
	p.lately.add(r)
	return p.lately.replies >= steady && p.lately.took >= steadyTime && p.compare(r.at)
}

// inFlight bounds the bytes of the replies that are read at the same time. A read cannot be put off any more when its reply turns
// out to be large, so what counts is how large they were lately; there is one reader when nothing is known.
const inFlight = 32 << 20

// weigh learns how large replies are. Two readers remain, without which a backlog could not be told.
func (p *pace) weigh(size int) {
	p.size = max(size, p.size-p.size/8)
	p.most = min(p.allowed, max(2, inFlight/max(1, p.size)))
	if p.readers > p.most {
		p.readers, p.lately, p.alone = p.most, sample{}, 0
	}
}

// stalled notes that a read was not made for another reason: what the readers bring meanwhile says nothing.
func (p *pace) stalled() { p.lately.last = time.Time{} }

// compare sets what each of the readers brings beside what one brought alone. It reports whether two of them have shared that.
func (p *pace) compare(now time.Time) (shared bool) {
	each := float64(p.lately.events) / p.lately.took.Seconds() / float64(p.readers)
	p.lately = sample{}
	// Above a share of what came in before, with some room for chance: to miss a backlog is worse than to look again.
	few := each < p.alone*(1+3/float64(p.readers))/4
	switch {
	case p.readers == 1:
		p.alone, p.measured, p.readers = each, now, 2
	case p.alone == 0 || few || now.Sub(p.measured) > remeasure:
		shared = few && p.readers == 2
		p.startOver()
	default:
		p.readers = min(2*p.readers, p.most)
	}
	return shared
}

func (p *pace) startOver() { p.readers, p.lately, p.alone = 1, sample{}, 0 }

// failed returns how long to wait after a failed read.
func (p *pace) failed(asked time.Duration) time.Duration {
	if p.readers > 2 {
		p.startOver()
	}
	p.stalled() // but what is known stays, so that a failure now and then does not keep reading from having caught up
	p.pause = min(max(2*p.pause, minPause), maxPause)
	wait := time.Duration(float64(p.pause) * (0.75 + 0.5*p.jitter()))
	return max(wait, min(asked, maxServerPause))
}
