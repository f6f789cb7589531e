// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

const (
	headKey = "head"
	// doneKey sorts beside the oldest entries, which are the ones that are deleted: a deletion changes one page of a file.
	doneKey     = "done"
	entryPrefix = "e"

	// seqBlock is how many sequence numbers the head reserves at once.
	seqBlock = 128
)

// segmentHead says which sequence numbers may occur in a segment: those from First, below Next.
type segmentHead struct {
	First uint64 `json:"first"`
	Next  uint64 `json:"next"`
	Key   string `json:"key,omitempty"`
}

// segmentDone says which of these are not there for a good reason, because they were deleted or never used, and which was
// the last to be used. What else is not there is missing: the files of file_storage have no checksums, and a damaged one
// can look like a whole one with less in it.
type segmentDone struct {
	Spans spans  `json:"spans"`
	Last  uint64 `json:"last"`
}

// ref points to a stored entry that is to be delivered.
type ref struct {
	seq  uint64
	size int64
	at   time.Time
	// named is the sequence number that the entry itself names, seal the key that it is sealed with.
	named uint64
	seal  string
	// again says that it was handed out and returned.
	again bool
	// marked says that there may be a mark beside it.
	marked bool
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
	done    spans
	last    uint64         // the highest sequence number that was committed
	noted   uint64         // all numbers below are stored here, or noted as deleted or never used; of the segment being written
	below   uint64         // above all sequence numbers in it, as far as the manifest knows; 0 if it knows nothing
	trouble trouble        // it cannot be read now
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
		Slot: seg.slot, First: seg.head.First, Last: seg.last, Key: seg.head.Key,
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
	settle(ctx, client)
	return client.Close(ctx)
}

// settle makes one more transaction. file_storage keeps two roots of its data, the last and the one before; if the last is
// damaged it takes the other without a word. After this both show the same.
func settle(ctx context.Context, client storage.Client) { _, _ = client.Get(ctx, headKey) }

func clientName(slot int) string { return "spool_" + strconv.Itoa(slot) }

func parseKey(key string) (seq uint64, ok bool) {
	digits, ok := strings.CutPrefix(key, entryPrefix)
	seq, err := strconv.ParseUint(digits, 16, 64)
	return seq, ok && err == nil && entryKey(seq) == key
}

func entryKey(seq uint64) string { return fmt.Sprintf("%s%016x", entryPrefix, seq) }

// refs calls see with all entries of an open segment.
func (seg *segment) refs(see func(ref)) {
	for _, r := range seg.queue {
		see(r)
	}
	for _, r := range seg.parked {
		see(r)
	}
	for _, r := range seg.busy {
		see(r)
	}
}

// opens returns an error if a key is missing that entries are sealed with.
func (seg *segment) opens(keys *Keyring) error {
	if seg.client == nil && seg.entries > 0 && !keys.opens(seg.head.Key) {
		return missingKey(seg.head.Key)
	}
	for _, r := range seg.queue {
		if !keys.opens(r.seal) {
			return missingKey(r.seal)
		}
	}
	return nil
}

// delete removes an entry, and notes that it was removed rather than lost. Where the two are not one transaction, the note
// comes first: what is there is delivered, whatever the note says.
func (seg *segment) delete(ctx context.Context, r ref) error {
	done := seg.done
	if r.stray == "" {
		done = done.with(r.seq, r.seq+1)
	}
	note, err := sealDone(done, seg.last)
	if err != nil {
		return err
	}
	ops := []*storage.Operation{storage.SetOperation(doneKey, note), storage.DeleteOperation(r.key())}
	if r.marked { // last: without it, all of the entry would be delivered again
		ops = append(ops, storage.DeleteOperation(markKey(r.seq)))
	}
	err = seg.client.Batch(ctx, ops...)
	if errors.Is(err, storage.ErrStorageFull) { // no room for the note, and no room without the deletion
		if err = seg.client.Delete(ctx, r.key()); err == nil {
			_ = seg.client.Batch(ctx, ops...) // the deletion made room
		}
	}
	if err == nil {
		seg.done = done
	}
	return err
}

// write stores what the segment may hold and what it holds no more.
func (seg *segment) write(ctx context.Context, head segmentHead, done spans) error {
	raw, err := durable.Seal(manifestVersion, head)
	if err != nil {
		return err
	}
	note, err := sealDone(done, seg.last)
	if err != nil {
		return err
	}
	// A segment with a head has a note.
	if err := seg.client.Batch(ctx, storage.SetOperation(doneKey, note), storage.SetOperation(headKey, raw)); err != nil {
		return fmt.Errorf("writing the head of segment %d of the spool: %w", seg.slot, err)
	}
	seg.head, seg.done, seg.noted = head, done, 0
	return nil
}

func sealDone(done spans, last uint64) ([]byte, error) {
	return durable.Seal(manifestVersion, segmentDone{Spans: done, Last: last})
}
