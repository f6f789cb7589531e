// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package seen remembers which events were delivered, exactly and across restarts, for as long as a sweep will read their
// second again. Keys live in storage in buckets of event time; only the buckets of the windows being read are in memory.
//
// Writes are ordered so that any prefix of them is safe: the index names a bucket before its first chunk exists, and a
// chunk is appended before anything relies on it. A key that is lost (an evicted bucket, a corrupt chunk) means that an
// event is delivered again with the same log.record.uid; it never means that an event is missing.
package seen

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// Key identifies one delivered event: a digest of tenant, message_uuid and content.
type Key [16]byte

const (
	formatVersion = 1
	// bucketSeconds is the event time that one bucket spans. Shorter means more keys in storage for a quiet subaccount,
	// longer means more memory while a dense range is read.
	bucketSeconds = 300
	// chunkKeys bounds what one checkpoint rewrites: a page appends to its bucket's last chunk of at most this many keys.
	chunkKeys = 1024
	// DefaultLimit is the number of keys kept in storage, about 180 MB of it, before the oldest bucket is given up.
	DefaultLimit = 8 << 20
)

// Stats counts what the set had to give up; both lead to repeats and never to loss.
type Stats struct {
	// Evicted is the number of keys that were dropped because the set was over its limit.
	Evicted int
	// Corrupt is the number of chunks that failed their checksum.
	Corrupt int
}

// Set is the seen keys of one subaccount. One goroutine stages and commits; views may be pinned by others meanwhile.
type Set struct {
	client storage.Client
	prefix string
	limit  int

	mu     sync.Mutex
	index  map[int64]entry
	loaded map[int64]*bucket
	views  map[*View]struct{}
	stats  Stats
}

// entry is what the index knows of a bucket in storage.
type entry struct {
	Keys   int `json:"keys"`
	Chunks int `json:"chunks"`
}

// bucket is a bucket in memory.
type bucket struct {
	keys   map[Key]struct{}
	tail   []Key // keys of the last chunk, which the next page extends
	chunks int   // chunks in storage, the tail included
}

// Open reads the index of the set under prefix. A corrupt index is started anew, which repeats events; storage errors and
// newer formats are returned.
func Open(ctx context.Context, client storage.Client, prefix string, limit int) (*Set, error) {
	s := &Set{
		client: client, prefix: prefix + "seen/", limit: limit,
		index: map[int64]entry{}, loaded: map[int64]*bucket{}, views: map[*View]struct{}{},
	}
	raw, err := client.Get(ctx, s.indexKey())
	if err != nil {
		return nil, fmt.Errorf("reading the index of seen events: %w", err)
	}
	switch err := durable.Open(raw, formatVersion, &s.index); {
	case errors.Is(err, durable.ErrAbsent):
	case errors.Is(err, durable.ErrCorrupt):
		s.index = map[int64]entry{}
		s.stats.Corrupt++
	case err != nil:
		return nil, fmt.Errorf("reading the index of seen events: %w", err)
	}
	return s, nil
}

// Stats returns the counters since Open.
func (s *Set) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Len is the number of keys in storage.
func (s *Set) Len() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.index {
		n += e.Keys
	}
	return n
}

// load brings a bucket into memory. A chunk that the index promises but storage lacks ends the bucket: its write was cut
// off by a crash.
func (s *Set) load(ctx context.Context, id int64) (*bucket, int, error) {
	b := &bucket{keys: map[Key]struct{}{}}
	corrupt := 0
	for {
		raw, err := s.client.Get(ctx, s.chunkKey(id, b.chunks))
		if err != nil {
			return nil, 0, fmt.Errorf("reading seen events: %w", err)
		}
		if raw == nil {
			return b, corrupt, nil
		}
		payload, err := durable.OpenBytes(raw, formatVersion)
		if errors.Is(err, durable.ErrNewerVersion) {
			return nil, 0, fmt.Errorf("reading seen events: %w", err)
		}
		if err != nil || len(payload)%len(Key{}) != 0 {
			corrupt++
			payload = nil
		}
		b.chunks++
		b.tail = b.tail[:0]
		for key := range slices.Chunk(payload, len(Key{})) {
			b.tail = append(b.tail, Key(key))
			b.keys[Key(key)] = struct{}{}
		}
	}
}

func (s *Set) indexKey() string { return s.prefix + "index" }

func (s *Set) chunkKey(id int64, chunk int) string {
	return s.prefix + strconv.FormatInt(id, 10) + "/" + strconv.Itoa(chunk)
}

func bucketOf(second int64) int64 {
	if second < 0 {
		return (second - bucketSeconds + 1) / bucketSeconds
	}
	return second / bucketSeconds
}

// span is the event time of a bucket, widened by the overlap of neighbouring queries.
func bucketSpan(id int64) sweep.Span {
	return sweep.Span{From: id * bucketSeconds, To: (id + 1) * bucketSeconds}.Widen(2)
}

func encodeKeys(keys []Key) []byte {
	out := make([]byte, 0, len(keys)*len(Key{}))
	for i := range keys {
		out = append(out, keys[i][:]...)
	}
	return out
}

func sealIndex(index map[int64]entry) ([]byte, error) { return durable.Seal(formatVersion, index) }

func sortedIDs(index map[int64]entry) []int64 { return slices.Sorted(maps.Keys(index)) }
