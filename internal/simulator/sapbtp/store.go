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
	first = uint32(len(s.entries)) //nolint:gosec // memory ends long before
	s.entries = append(s.entries, entries...)
	added := make([]uint32, len(entries))
	for i := range added {
		added[i] = first + uint32(i)
	}
	slices.SortFunc(added, s.before)
	s.merge(added)
	return first
}

// merge files ordinals that are in order among themselves. What is new is mostly of the present, so only the end of the
// index is touched.
func (s *store) merge(added []uint32) {
	if len(added) == 0 {
		return
	}
	start := sort.Search(len(s.byTime), func(i int) bool { return s.before(s.byTime[i], added[0]) > 0 })
	behind := slices.Clone(s.byTime[start:])
	s.byTime = s.byTime[:start]
	for len(behind) > 0 && len(added) > 0 {
		if s.before(behind[0], added[0]) < 0 {
			s.byTime, behind = append(s.byTime, behind[0]), behind[1:]
		} else {
			s.byTime, added = append(s.byTime, added[0]), added[1:]
		}
	}
	s.byTime = append(append(s.byTime, behind...), added...)
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
