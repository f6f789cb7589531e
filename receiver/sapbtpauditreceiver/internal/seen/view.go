// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package seen

import (
	"context"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// View keeps the buckets of one window in memory while the window is read.
type View struct {
	set  *Set
	span sweep.Span // the window, widened by the second that a query adds at both edges
	lo   int64      // first and last bucket of the span
	hi   int64
}

// Pin loads the buckets of the window. The caller must Unpin the view.
func (s *Set) Pin(ctx context.Context, window sweep.Span) (*View, error) {
	span := window.Widen(1)
	v := &View{set: s, span: span, lo: bucketOf(span.From - 1), hi: bucketOf(span.To)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.views[v] = struct{}{}
	for _, id := range sortedIDs(s.index) {
		if !v.covers(id) || s.loaded[id] != nil {
			continue
		}
		b, corrupt, err := s.load(ctx, id)
		if err != nil {
			s.unpin(v)
			return nil, err
		}
		s.stats.Corrupt += corrupt
		s.loaded[id] = b
	}
	return v, nil
}

// Has reports whether the key was delivered, as far as the view's buckets know. The bucket of a key follows from the
// query that brought it first, so all buckets of the view are asked.
func (v *View) Has(key Key) bool {
	v.set.mu.Lock()
	defer v.set.mu.Unlock()
	if int64(len(v.set.loaded)) < v.hi-v.lo {
		for id, b := range v.set.loaded {
			if _, ok := b.keys[key]; ok && v.covers(id) {
				return true
			}
		}
		return false
	}
	for id := v.lo; id <= v.hi; id++ {
		if v.set.has(id, key) {
			return true
		}
	}
	return v.set.has(strayBucket, key) || v.set.has(strayBucket+1, key)
}

// has reports whether the key is in a bucket in memory.
func (s *Set) has(id int64, key Key) bool {
	b := s.loaded[id]
	if b == nil {
		return false
	}
	_, ok := b.keys[key]
	return ok
}

// covers reports whether the view needs a bucket.
func (v *View) covers(id int64) bool { return id >= v.lo && id <= v.hi || isStray(id) }

// Holds reports whether an event is known that lies within span for certain, so that reading span cannot bring nothing.
func (v *View) Holds(span sweep.Span) bool {
	v.set.mu.Lock()
	defer v.set.mu.Unlock()
	for id, b := range v.set.loaded {
		if id*bucketSeconds > span.From && (id+1)*bucketSeconds < span.To && len(b.keys) > 0 {
			return true
		}
	}
	return false
}

// Unpin releases the view's buckets; those that no other view covers leave memory.
func (v *View) Unpin() {
	v.set.mu.Lock()
	defer v.set.mu.Unlock()
	v.set.unpin(v)
}

func (s *Set) unpin(v *View) {
	delete(s.views, v)
	for id := range s.loaded {
		if !s.pinned(id) {
			delete(s.loaded, id)
		}
	}
}

func (s *Set) pinned(id int64) bool {
	for v := range s.views {
		if v.covers(id) {
			return true
		}
	}
	return false
}

// bucketFor is the bucket that a key of event time second (Unix) goes to: its own where the query asked for that time,
// else the nearest one that the query asked for. So a record that the server places in a range by some other time than its
// event time is found again when the range is read again, also after so many strays that this one is forgotten.
func (v *View) bucketFor(second int64) int64 {
	return bucketOf(min(max(second, v.span.From), v.span.To-1))
}
