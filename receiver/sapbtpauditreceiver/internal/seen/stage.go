// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package seen

import (
	"maps"
	"slices"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// Event is a delivered event: its key and its event time in Unix seconds.
type Event struct {
	Key    Key
	Second int64
}

// Staged is a change of the set that is not yet in storage. Writes belongs before the checkpoint that relies on it,
// Deletes after it; Commit makes the change visible once both are stored.
type Staged struct {
	Writes  []*storage.Operation
	Deletes []*storage.Operation

	set     *Set
	index   map[int64]entry
	buckets map[int64]*bucket
	added   map[int64][]Key
	evicted int
}

// Stage prepares to remember events that were read through the view. Events and buckets outside unread, what some sweep
// will still read, are not stored or are removed; for strays see stray.go.
func (v *View) Stage(events []Event, unread sweep.Set) (*Staged, error) {
	s := v.set
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &Staged{set: s, index: maps.Clone(s.index), buckets: map[int64]*bucket{}, added: map[int64][]Key{}}
	stray := strayFrom(s.index)
	for _, e := range events {
		id := v.bucketFor(e.Second)
		if unread.Overlaps(bucketSpan(id)) {
			st.added[id] = append(st.added[id], e.Key)
		}
		if v.strays(e.Second) {
			st.added[stray] = append(st.added[stray], e.Key)
		}
	}
	var chunks []*storage.Operation
	for _, id := range slices.Sorted(maps.Keys(st.added)) {
		b := s.loaded[id]
		if b == nil {
			b = &bucket{}
		}
		ops, grown := s.grow(id, b, st.added[id])
		chunks = append(chunks, ops...)
		st.buckets[id] = grown
		st.index[id] = entry{Keys: s.index[id].Keys + len(st.added[id]), Chunks: grown.chunks}
	}
	// The index names new buckets before they exist, and goes on naming old ones until after they are gone.
	if !sameShape(st.index, s.index) {
		if err := st.writeIndex(&st.Writes); err != nil {
			return nil, err
		}
	}
	st.Writes = append(st.Writes, chunks...)
	if st.prune(unread) {
		if err := st.writeIndex(&st.Deletes); err != nil {
			return nil, err
		}
	}
	return st, nil
}

func (st *Staged) writeIndex(ops *[]*storage.Operation) error {
	raw, err := sealIndex(st.index)
	if err != nil {
		return err
	}
	*ops = append(*ops, storage.SetOperation(st.set.indexKey(), raw))
	return nil
}

// grow returns the writes that append keys to the bucket, and the bucket's shape afterwards. It changes nothing.
func (s *Set) grow(id int64, b *bucket, keys []Key) ([]*storage.Operation, *bucket) {
	grown := &bucket{tail: slices.Clone(b.tail), chunks: max(1, b.chunks)}
	var ops []*storage.Operation
	for len(keys) > 0 {
		if len(grown.tail) >= chunkKeys {
			grown.tail = nil
			grown.chunks++
		}
		n := min(len(keys), chunkKeys-len(grown.tail))
		grown.tail = append(grown.tail, keys[:n]...)
		keys = keys[n:]
		raw := durable.SealBytes(formatVersion, encodeKeys(grown.tail))
		ops = append(ops, storage.SetOperation(s.chunkKey(id, grown.chunks-1), raw))
	}
	return ops, grown
}

// prune drops the buckets that no sweep will read again, that of strays which has to make room, and over the limit the oldest
// ones. It reports whether there were any.
func (st *Staged) prune(unread sweep.Set) (pruned bool) {
	total := 0
	for _, e := range st.index {
		total += e.Keys
	}
	for _, id := range sortedIDs(st.index) {
		if isStray(id) && !st.emptied(id) {
			continue
		}
		over := total > st.set.limit && len(st.index) > 1 && !isStray(id)
		if unread.Overlaps(bucketSpan(id)) && !over {
			continue
		}
		if over {
			st.evicted += st.index[id].Keys
		}
		// Last chunk first: what a cut-off deletion leaves is still a bucket that reads without a hole.
		for chunk := st.index[id].Chunks - 1; chunk >= 0; chunk-- {
			st.Deletes = append(st.Deletes, storage.DeleteOperation(st.set.chunkKey(id, chunk)))
		}
		total -= st.index[id].Keys
		delete(st.index, id)
		delete(st.added, id)
		delete(st.buckets, id)
		pruned = true
	}
	return pruned
}

// sameShape reports whether both name the same buckets and chunks. The number of keys alone is not worth a write with every
// page.
func sameShape(a, b map[int64]entry) bool {
	return maps.EqualFunc(a, b, func(x, y entry) bool { return x.Chunks == y.Chunks })
}

// Commit makes the change visible to all views. Call it only when Writes and Deletes are stored.
func (st *Staged) Commit() {
	s := st.set
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = st.index
	s.stats.Evicted += st.evicted
	for id, grown := range st.buckets {
		grown.keys = map[Key]struct{}{}
		if old := s.loaded[id]; old != nil {
			grown.keys = old.keys
		}
		for _, key := range st.added[id] {
			grown.keys[key] = struct{}{}
		}
		if s.pinned(id) {
			s.loaded[id] = grown
		}
	}
	for id := range s.loaded {
		if _, ok := s.index[id]; !ok {
			delete(s.loaded, id)
		}
	}
}
