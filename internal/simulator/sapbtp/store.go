// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"cmp"
	"slices"
	"sort"
	"sync"
	"time"
)

// entry is all that is kept of a generated record: 24 bytes. The rest is written again from the seed whenever it is asked
// for, so a million records cost about 30 MB with their index.
type entry struct {
	at      int64 // Unix milliseconds
	visible int64 // Unix milliseconds from which on the API shows it
	served  uint32
	kind    kind
	part    uint8 // 1, 2, … of a message that is split over several records; else 0
}

// given is a record that a test brought along as bytes.
type given struct {
	id       string
	category string
	json     []byte
}

// store holds the records of one subaccount. An entry's index is its ordinal: it never changes, and with the seed it gives
// the record's content.
type store struct {
	mu      sync.Mutex
	entries []entry
	byTime  []uint32 // ordinals, by time and then by ordinal
	given   map[uint32]*given
}

// append adds entries; the caller holds the lock.
func (s *store) append(entries ...entry) (first uint32) {
	first = uint32(len(s.entries))
	s.entries = append(s.entries, entries...)
	ordered := true
	for i := range entries {
		ordinal := first + uint32(i)
		ordered = ordered && (len(s.byTime) == 0 || s.before(s.byTime[len(s.byTime)-1], ordinal) <= 0)
		s.byTime = append(s.byTime, ordinal)
	}
	if ordered {
		return first
	}
	if len(entries) > 1 {
		slices.SortFunc(s.byTime, s.before)
		return first
	}
	// A single straggler belongs close to the end, where moving the rest by one place is cheap.
	last := len(s.byTime) - 1
	at := sort.Search(last, func(i int) bool { return s.before(s.byTime[i], first) > 0 })
	copy(s.byTime[at+1:], s.byTime[at:last])
	s.byTime[at] = first
	return first
}

func (s *store) before(a, b uint32) int {
	if c := cmp.Compare(s.entries[a].at, s.entries[b].at); c != 0 {
		return c
	}
	return cmp.Compare(a, b)
}

// window lists the ordinals with from <= time <= to (Unix milliseconds) that satisfy keep, oldest first; the caller holds
// the lock.
func (s *store) window(from, to int64, keep func(uint32, *entry) bool) []uint32 {
	start := sort.Search(len(s.byTime), func(i int) bool { return s.entries[s.byTime[i]].at >= from })
	out := []uint32{}
	for _, ordinal := range s.byTime[start:] {
		e := &s.entries[ordinal]
		if e.at > to {
			break
		}
		if keep(ordinal, e) {
			out = append(out, ordinal)
		}
	}
	return out
}

// count notes that the records went out in a complete answer.
func (s *store) count(ordinals []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range ordinals {
		s.entries[o].served++
	}
}

// size is the number of records.
func (s *store) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

func (e *entry) time() time.Time { return time.UnixMilli(e.at).UTC() }
