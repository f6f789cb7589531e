// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"container/list"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// How a record is found to be poison, and why a backend that is down, flapping, or broken in one of its nodes is not mistaken
// for it: it must be refused alone very often, over minutes, with others accepted between each two of these refusals. One
// acceptance clears it. A node that refuses everything and gets half of the requests would have to get the same record twenty
// times in a row. That a refusal does not call itself permanent takes still more of them: it may depend on the load.
const (
	convictingRefusals   = 20 // permanent ones
	convictingTime       = 5 * time.Minute
	convictingTransients = 30 // of any kind
	convictingPatience   = time.Hour

	// roundEvery is the least time between two refusals of a record that both count.
	roundEvery = 15 * time.Second
	// maxSuspects bounds the records that are remembered between calls; the oldest go first.
	maxSuspects = 4096
	// suspectIdle is after what time a record that does not come back is forgotten.
	suspectIdle = 24 * time.Hour
)

// hasty is set by Hasten.
var hasty atomic.Bool

// hastyRefusals convict when there is no time.
const hastyRefusals = 3

// Hasten makes a matter of moments of what takes minutes: that refused records are offered again, and convicted. It is for tests
// that kill real processes, whose time cannot be virtual; what they test is the order of the steps, and not when they are taken.
func Hasten() { hasty.Store(true) }

// suspect is a record that was refused alone.
type suspect struct {
	id         identity
	place      *list.Element // in suspects.order
	mark       int64         // Deliverer.accepted at the last refusal that counted
	refusals   int           // that count
	permanent  int           // of these
	held       bool          // it was refused while others were accepted, so that it is not the backend that is down
	first      time.Time
	last, seen time.Time // the last refusal that counted, and the last of all
}

// guilty reports whether the record is poison.
func (s *suspect) guilty(now time.Time) bool {
	if hasty.Load() {
		return s.permanent >= hastyRefusals
	}
	age := now.Sub(s.first)
	return s.permanent >= convictingRefusals && age >= convictingTime || s.refusals >= convictingTransients && age >= convictingPatience
}

// suspects are the records that were refused alone, over all calls.
type suspects struct {
	mu    sync.Mutex
	known map[identity]*suspect
	order list.List // of known, as *suspect, oldest first
}

// refused notes that the only record of logs was refused when accepted records had been accepted; amid tells that others were
// accepted about then.
func (l *suspects) refused(logs plog.Logs, permanent, amid bool, accepted int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for id := range identities(logs) {
		s := l.known[id]
		if s == nil {
			s = &suspect{id: id, first: now}
			l.add(s)
		}
		s.held = s.held || amid || accepted != s.mark && s.refusals > 0
		s.seen = now
		if s.refusals > 0 && (accepted == s.mark || now.Sub(s.last) < roundEvery && !hasty.Load()) {
			continue
		}
		s.mark, s.last = accepted, now
		s.refusals++
		if permanent {
			s.permanent++
		}
	}
}

func (l *suspects) add(s *suspect) {
	if oldest := l.order.Front(); l.order.Len() == maxSuspects {
		l.remove(oldest.Value.(*suspect)) //nolint:errcheck,forcetypeassert // it holds nothing else
	}
	if l.known == nil {
		l.known = map[identity]*suspect{}
	}
	l.known[s.id] = s
	s.place = l.order.PushBack(s)
}

func (l *suspects) remove(s *suspect) {
	delete(l.known, s.id)
	l.order.Remove(s.place)
}

// guilty reports whether the only record of logs is poison.
func (l *suspects) guilty(logs plog.Logs) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range identities(logs) {
		if s := l.known[id]; s != nil {
			return s.guilty(time.Now())
		}
	}
	return false
}

// cleared drops the records of logs that are not in rest, because they were accepted or are in the quarantine.
func (l *suspects) cleared(logs, rest plog.Logs) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) == 0 {
		return
	}
	kept := map[identity]bool{}
	for id := range identities(rest) {
		kept[id] = true
	}
	for id := range identities(logs) {
		if s := l.known[id]; s != nil && !kept[id] {
			l.remove(s)
		}
	}
}

// separate returns logs without the records that are suspected, and each of these, in the order in which they were last refused.
// Of what had been accepted when one of them was last refused it returns the least, but no more than accepted.
func (l *suspects) separate(logs plog.Logs, accepted int64) (others, suspected []plog.Logs, least int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) == 0 {
		return []plog.Logs{logs}, nil, accepted
	}
	found := map[int]*suspect{} // by place
	i := 0
	for id := range identities(logs) {
		if s := l.known[id]; s != nil {
			found[i] = s
			accepted = min(accepted, s.mark)
		}
		i++
	}
	if len(found) == 0 {
		return []plog.Logs{logs}, nil, accepted
	}
	places := make([]int, 0, len(found))
	for place := range found {
		places = append(places, place)
	}
	slices.SortFunc(places, func(a, b int) int {
		if c := found[a].seen.Compare(found[b].seen); c != 0 {
			return c
		}
		return a - b
	})
	part := map[int]int{} // of those found; the last is that of the others
	for n, place := range places {
		part[place] = n
	}
	suspected = deal(logs, len(places)+1, func(place int, _ plog.LogRecord) int {
		if n, suspect := part[place]; suspect {
			return n
		}
		return len(places)
	})
	if len(places) < i {
		others = append(others, suspected[len(places)])
	}
	return others, suspected[:len(places)], accepted
}

// held is how many records are refused while others are accepted, without those that do not come back.
func (l *suspects) held() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.known {
		if time.Since(s.seen) > suspectIdle {
			l.remove(s)
		} else if s.held {
			n++
		}
	}
	return n
}
