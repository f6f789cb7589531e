// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

const (
	headKey     = "head"
	entryPrefix = "e"

	// seqBlock is how many sequence numbers the head reserves at once.
	seqBlock = 128

	// scanBytes bounds what one step of a scan reads from a storage that cannot be walked.
	scanBytes = 1 << 20
)

// segmentHead says which sequence numbers may occur in a segment: those from First, below Next.
type segmentHead struct {
	First uint64 `json:"first"`
	Next  uint64 `json:"next"`
	Key   string `json:"key,omitempty"`
}

// ref points to a stored entry that is to be delivered.
type ref struct {
	seq  uint64
	size int64
	at   time.Time
	// again says that it was handed out and returned.
	again bool
	// stray is the key of a value that is none of ours, or was one of ours until its key was damaged.
	stray string
}

func (r ref) key() string {
	if r.stray != "" {
		return r.stray
	}
	return entryKey(r.seq)
}

// A segment is one storage client's worth of entries. While it is closed only its record is known.
type segment struct {
	slot    int
	head    segmentHead
	client  storage.Client // nil while closed
	queue   []ref          // to be handed out, oldest first; known while open
	parked  []ref          // returned: to be handed out when nothing else is left
	busy    map[uint64]ref // handed out, not yet deleted or returned
	entries int
	bytes   int64
	oldest  time.Time // of a closed segment
}

func (seg *segment) record() record {
	return record{
		Slot: seg.slot, First: seg.head.First, Key: seg.head.Key,
		Entries: seg.entries, Bytes: seg.bytes, Oldest: seg.age(),
	}
}

// age returns when the oldest entry was received, zero if there is none.
func (seg *segment) age() time.Time {
	if seg.client == nil {
		return seg.oldest
	}
	var oldest time.Time
	older := func(r ref) {
		if oldest.IsZero() || (r.at.Before(oldest) && !r.at.IsZero()) {
			oldest = r.at
		}
	}
	if len(seg.queue) > 0 {
		older(seg.queue[0])
	}
	for _, r := range seg.parked {
		older(r)
	}
	for _, r := range seg.busy {
		older(r)
	}
	return oldest
}

func (seg *segment) close(ctx context.Context) error {
	if seg.client == nil {
		return nil
	}
	seg.oldest = seg.age()
	client := seg.client
	seg.client, seg.queue, seg.parked, seg.busy = nil, nil, nil, nil
	return client.Close(ctx)
}

func clientName(slot int) string { return "spool_" + strconv.Itoa(slot) }

func parseKey(key string) (seq uint64, ok bool) {
	digits, ok := strings.CutPrefix(key, entryPrefix)
	seq, err := strconv.ParseUint(digits, 16, 64)
	return seq, ok && err == nil && entryKey(seq) == key
}

func entryKey(seq uint64) string { return fmt.Sprintf("%s%016x", entryPrefix, seq) }

// openSegment opens the segment's client and learns what is in it. It reports false for a segment without a head: one
// that was never written, or was lost.
func (s *Spool) openSegment(ctx context.Context, seg *segment) (used bool, err error) {
	if seg.client != nil {
		return true, nil
	}
	client, err := s.open(ctx, clientName(seg.slot))
	if err != nil {
		return false, fmt.Errorf("opening segment %d of the spool: %w", seg.slot, err)
	}
	seg.client, seg.queue, seg.busy = client, nil, map[uint64]ref{}
	defer func() {
		if err != nil {
			err = errors.Join(err, seg.close(ctx))
		}
	}()
	raw, err := client.Get(ctx, headKey)
	if err != nil {
		return false, fmt.Errorf("reading segment %d of the spool: %w", seg.slot, err)
	}
	var head segmentHead
	switch err := durable.Open(raw, manifestVersion, &head); {
	case errors.Is(err, durable.ErrAbsent):
		seg.entries, seg.bytes = 0, 0
		return false, nil
	case errors.Is(err, durable.ErrCorrupt):
		// What the manifest says is enough to find the entries.
		head = segmentHead{First: seg.head.First, Next: s.next + seqBlock, Key: seg.head.Key}
	case err != nil:
		return false, fmt.Errorf("reading segment %d of the spool: %w", seg.slot, err)
	}
	seg.head = head
	if err := seg.scan(ctx); err != nil {
		return false, fmt.Errorf("reading segment %d of the spool: %w", seg.slot, err)
	}
	return true, nil
}

// scan lists the entries of an open segment.
func (seg *segment) scan(ctx context.Context) error {
	var found []ref
	see := func(key string, value []byte) {
		r := ref{size: int64(len(value)), at: receivedAt(value)}
		if seq, ok := parseKey(key); ok {
			r.seq = seq
		} else {
			r.seq, r.stray = math.MaxUint64-uint64(len(found)), key
		}
		found = append(found, r)
	}
	var err error
	if walker, ok := seg.client.(storage.Walker); ok {
		err = walker.Walk(ctx, func(key string, value []byte) ([]*storage.Operation, error) {
			if key != headKey {
				see(key, value)
			}
			return nil, nil
		})
	} else {
		err = seg.probe(ctx, see)
	}
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b ref) int { return cmp.Compare(a.seq, b.seq) })
	seg.queue = found
	seg.entries, seg.bytes = len(found), 0
	for _, r := range found {
		seg.bytes += r.size
	}
	return nil
}

// probe asks for every sequence number that may be in the segment, for storages that cannot be walked.
func (seg *segment) probe(ctx context.Context, see func(string, []byte)) error {
	step := uint64(1)
	for seq := seg.head.First; seq < seg.head.Next; {
		ops := make([]*storage.Operation, 0, step)
		for n := uint64(0); n < step && seq < seg.head.Next; n++ {
			ops = append(ops, storage.GetOperation(entryKey(seq)))
			seq++
		}
		if err := seg.client.Batch(ctx, ops...); err != nil {
			return err
		}
		size := 0
		for _, op := range ops {
			if op.Value != nil {
				see(op.Key, op.Value)
				size += len(op.Value)
			}
		}
		if size > scanBytes/2 {
			step = 1
		} else {
			step = min(2*step, seqBlock/4)
		}
	}
	return nil
}

// reserveSeqs writes ahead that sequence numbers up to one block from next may occur in the open segment.
func (seg *segment) reserveSeqs(ctx context.Context, next uint64, key string) error {
	head := segmentHead{First: next, Next: next + seqBlock, Key: key}
	for _, r := range seg.queue {
		head.First = min(head.First, r.seq)
	}
	for _, r := range seg.parked {
		head.First = min(head.First, r.seq)
	}
	for _, r := range seg.busy {
		head.First = min(head.First, r.seq)
	}
	raw, err := durable.Seal(manifestVersion, head)
	if err != nil {
		return err
	}
	if err := seg.client.Set(ctx, headKey, raw); err != nil {
		return fmt.Errorf("writing the head of segment %d of the spool: %w", seg.slot, err)
	}
	seg.head = head
	return nil
}
