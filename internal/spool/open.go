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

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

// scanBytes bounds what one step of a scan reads from a storage that cannot be walked.
const scanBytes = 1 << 20

// openSegment opens the segment's client and learns what is in it. It reports false for a segment with neither head nor
// entries: one that was never written, or was lost.
func (s *Spool) openSegment(ctx context.Context, seg *segment) (used bool, err error) {
	if seg.client != nil {
		return true, nil
	}
	client, err := s.open(ctx, clientName(seg.slot))
	if err != nil {
		return false, fmt.Errorf("opening segment %d of the spool: %w", seg.slot, err)
	}
	seg.client, seg.queue, seg.busy = client, nil, map[uint64]ref{}
	used, err = s.learn(ctx, seg)
	if err != nil {
		oldest := seg.oldest
		err = errors.Join(fmt.Errorf("reading segment %d of the spool: %w", seg.slot, err), seg.close(ctx))
		seg.oldest = oldest
	}
	return used, err
}

func (s *Spool) learn(ctx context.Context, seg *segment) (used bool, err error) {
	var head segmentHead
	headErr := load(ctx, seg.client, headKey, &head)
	var done segmentDone
	doneErr := load(ctx, seg.client, doneKey, &done)
	for _, err := range []error{headErr, doneErr} {
		if err != nil && !damaged(err) {
			return false, err
		}
	}
	first := seg.head.First
	_, walkable := seg.client.(storage.Walker)
	switch {
	case headErr == nil:
		seg.head = head
	case walkable || seg.below > 0:
		// What the manifest says, or else a walk, is enough to find the entries.
		seg.head.Next = seg.below
	case errors.Is(headErr, durable.ErrCorrupt):
		return false, fmt.Errorf("neither its head nor the spool's manifest can be read, and this storage cannot be listed: "+
			"restore it from a backup, or give up what it holds by deleting it: %w", headErr)
	}
	if err := seg.scan(ctx); err != nil {
		return false, err
	}
	if errors.Is(headErr, durable.ErrAbsent) && len(seg.queue) == 0 {
		return false, nil
	}
	seg.done, seg.last = done.Spans, max(seg.last, done.Last)
	// The note may be one ahead of the head, and says nothing of what is below the first then; the manifest is written before both.
	first = max(first, seg.head.First)
	s.audit(ctx, seg, first, errors.Join(headErr, doneErr), doneErr == nil)
	return true, nil
}

func load(ctx context.Context, client storage.Client, key string, into any) error {
	raw, err := client.Get(ctx, key)
	if err != nil {
		return err
	}
	return durable.Open(raw, manifestVersion, into)
}

func damaged(err error) bool {
	return errors.Is(err, durable.ErrAbsent) || errors.Is(err, durable.ErrCorrupt)
}

// audit compares what was found in a segment with what must be there, says and counts what is missing or damaged, and mends
// what the segment says of itself.
func (s *Spool) audit(ctx context.Context, seg *segment, first uint64, damage error, doneKnown bool) {
	there, lowest := seg.done, uint64(math.MaxUint64)
	for _, r := range seg.queue {
		if r.stray == "" {
			there = there.with(r.seq, r.seq+1)
		}
		if r.named != r.seq { // the key was damaged, or what the entry says of itself
			there = there.with(r.named, r.named+1)
		}
		if r.named == r.seq {
			lowest, seg.last = min(lowest, r.seq), max(seg.last, r.seq)
		}
	}
	if first == 0 && lowest < math.MaxUint64 { // neither head nor manifest
		first, seg.head.First = lowest, lowest
	}
	seg.head.Next = max(seg.head.Next, seg.last+1)
	// Numbers that the head only reserves are not skipped: while the spool runs, they may be the next ones of another segment.
	s.next = max(s.next, seg.last+1)
	holes := there.gaps(max(first, 1), seg.last+1)
	if n := holes.size(); n > 0 && doneKnown {
		s.missing += n
		s.logger.Error("Entries are missing from a segment of the spool: its file is damaged, or was replaced by an older one. "+
			"They are lost, unless the storage kept a backup", zap.Int("segment", seg.slot), zap.Int("entries", n))
	}
	if damage != nil {
		s.repaired++
		s.logger.Error("What a segment of the spool says of itself is damaged. It is mended from what was found in it: check the disk, "+
			"entries may be missing", zap.Int("segment", seg.slot), zap.Int("entries", len(seg.queue)), zap.Error(damage))
	}
	if len(holes) == 0 && damage == nil {
		return
	}
	done := seg.done
	for _, h := range holes {
		done = done.with(h[0], h[1])
	}
	if err := seg.write(ctx, seg.head, done); err != nil {
		s.logger.Warn("The segment cannot be mended now; this is tried again when it is opened the next time", zap.Error(err))
	}
}

// scan lists the entries of an open segment.
func (seg *segment) scan(ctx context.Context) error {
	var found []ref
	see := func(key string, value []byte) {
		r := refTo(key, value)
		if r.stray != "" {
			r.seq = math.MaxUint64 - uint64(len(found))
		}
		if r.seal == seg.head.Key || !intact(value) {
			r.seal = seg.head.Key // one string for all; and damage is not a missing key
		}
		found = append(found, r)
	}
	var (
		err   error
		marks []string
	)
	if walker, ok := seg.client.(storage.Walker); ok {
		err = walker.Walk(ctx, func(key string, value []byte) ([]*storage.Operation, error) {
			switch {
			case key == headKey || key == doneKey:
			case isMark(key, value):
				marks = append(marks, key)
			default:
				see(key, value)
			}
			return nil, nil
		})
	} else {
		err = seg.probe(ctx, seg.head.First, seg.head.Next, see)
	}
	if err != nil {
		return err
	}
	// In a damaged file a walk can come by the same place twice.
	slices.SortFunc(found, func(a, b ref) int { return cmp.Or(cmp.Compare(a.stray, b.stray), cmp.Compare(a.seq, b.seq)) })
	found = slices.CompactFunc(found, func(a, b ref) bool { return a.key() == b.key() })
	seg.queue = found
	seg.sweep(ctx, marks)
	seg.entries, seg.bytes = len(found), 0
	for _, r := range found {
		seg.bytes += r.size
	}
	return nil
}

func refTo(key string, value []byte) ref {
	said := peek(value)
	r := ref{size: int64(len(value)), at: said.At, named: said.Seq, seal: said.Key}
	seq, ok := parseKey(key)
	if ok {
		r.seq = seq
	} else {
		r.stray = key
	}
	return r
}

// probe asks for every sequence number of a range, for storages that cannot be walked.
func (seg *segment) probe(ctx context.Context, from, to uint64, see func(string, []byte)) error {
	step := uint64(1)
	for seq := from; seq < to; {
		ops := make([]*storage.Operation, 0, step)
		for n := uint64(0); n < step && seq < to; n++ {
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
