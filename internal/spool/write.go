// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// A Reservation is room for one batch. It ends with Commit or Release.
type Reservation struct {
	spool *Spool
	bytes int64
	id    string
}

// Reserve promises room for a batch of at most so many bytes (of envelope and body) and makes sure that there is a
// segment to write it to, so that what can go wrong with the storage goes wrong before the source is read. It returns
// ErrFull if there is no room.
func (s *Spool) Reserve(ctx context.Context, bytes int64) (*Reservation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.taken()+bytes > s.maxBytes {
		return nil, ErrFull
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	s.reserved += bytes
	s.publish()
	return &Reservation{spool: s, bytes: bytes}, nil
}

// WaitForSpace returns nil once Reserve may have room for so many bytes.
func (s *Spool) WaitForSpace(ctx context.Context, bytes int64) error {
	for {
		s.mu.Lock()
		room, closed, changed := s.taken()+bytes <= s.maxBytes, s.closed, s.changed
		s.mu.Unlock()
		switch {
		case closed:
			return ErrClosed
		case room:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Release gives the room back. It does nothing after a Commit that succeeded.
func (r *Reservation) Release() {
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(r)
	s.announce()
	s.publish()
}

func (s *Spool) release(r *Reservation) {
	s.reserved -= r.bytes
	r.bytes = 0
}

// Commit writes the batch and returns its identifier, which stays with the batch for good. Once it returned nil the
// batch is in storage. After an error it may be called again: the reservation holds, and the batch keeps its identifier.
func (r *Reservation) Commit(ctx context.Context, b Batch) (string, error) {
	if r.id == "" {
		r.id = newID(b.ReceivedAt)
	}
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", ErrClosed
	}
	if err := s.prepare(ctx); err != nil {
		return "", err
	}
	tail, seq := s.tail(), s.next
	s.next++ // also if the write fails: nobody knows whether it did
	value, err := encodeEntry(seq, r.id, b, s.keys)
	if err != nil {
		return "", err
	}
	if err := tail.client.Set(ctx, entryKey(seq), value); err != nil {
		s.suspect = true
		tail.done = tail.done.with(seq, seq+1) // not missing, if it is not there
		return "", fmt.Errorf("writing to the spool: %w", err)
	}
	stored := ref{seq: seq, size: int64(len(value)), at: b.ReceivedAt, named: seq, seal: s.keys.ID()}
	tail.last, tail.noted = seq, s.next
	tail.queue = append(tail.queue, stored)
	tail.entries++
	tail.bytes += stored.size
	s.release(r)
	s.announce()
	s.publish()
	return r.id, nil
}

// taken is what entries and reservations use up.
func (s *Spool) taken() int64 {
	taken := s.reserved
	for _, seg := range s.segments {
		taken += seg.bytes
	}
	return taken
}

// prepare makes sure that the last segment is open, not full, written with the current key, and may hold the next
// sequence number.
func (s *Spool) prepare(ctx context.Context) error {
	key := s.keys.ID()
	if len(s.segments) == 0 {
		return s.begin(ctx, key)
	}
	tail := s.tail()
	if s.suspect || tail.bytes >= s.segmentBytes || (tail.head.Key != key && tail.entries > 0) {
		err := s.begin(ctx, key)
		if err == nil || !s.suspect {
			return err
		}
		// No other segment to be had, so the one that failed is tried again.
		s.logger.Warn("The spool cannot begin another segment.", zap.Error(err))
		tail = s.tail()
	}
	if !s.suspect && s.next == tail.noted && s.next < tail.head.Next && tail.head.Key == key {
		return nil
	}
	return s.extend(ctx, tail, key)
}

// extend writes ahead that sequence numbers up to one block from the next may occur in the open segment: first into the
// manifest, so that the entries are found without the head as well.
func (s *Spool) extend(ctx context.Context, seg *segment, key string) error {
	if err := s.vacate(ctx, seg); err != nil {
		return err
	}
	before := seg.head
	head := segmentHead{First: s.next, Next: s.next + seqBlock, Key: key}
	seg.refs(func(r ref) { head.First = min(head.First, r.seq) })
	done := seg.done.with(seg.last+1, s.next).above(head.First)
	s.bound = max(s.bound, head.Next)
	if slices.Contains(s.segments, seg) {
		seg.head = head
		if err := s.saveManifest(ctx); err != nil {
			seg.head = before
			return fmt.Errorf("writing the manifest of the spool: %w", err)
		}
	}
	if err := seg.write(ctx, head, done); err != nil {
		seg.head = before
		return err
	}
	seg.noted = s.next
	return nil
}

// vacate moves on to sequence numbers under which nothing is stored. Nothing ever should be under those it skips, but what
// the storage says of itself may be damaged, and a commit must not overwrite an entry.
func (s *Spool) vacate(ctx context.Context, seg *segment) error {
	known := map[uint64]bool{}
	seg.refs(func(r ref) { known[r.seq] = true })
	for from := s.next; ; {
		var found []ref
		if _, walkable := seg.client.(storage.Walker); !walkable { // a walk has shown them all
			err := seg.probe(ctx, from, from+seqBlock, func(key string, value []byte) { found = append(found, refTo(key, value)) })
			if err != nil {
				return fmt.Errorf("reading segment %d of the spool: %w", seg.slot, err)
			}
		}
		for _, r := range found {
			if known[r.seq] {
				continue
			}
			s.logger.Error("An entry of the spool was found where none should be; it is delivered", zap.Int("segment", seg.slot), zap.Uint64("entry", r.seq))
			known[r.seq] = true
			seg.queue = append(seg.queue, r)
			seg.entries++
			seg.bytes += r.size
			seg.last = max(seg.last, r.seq)
		}
		for seq := from; seq < from+seqBlock; seq++ {
			if known[seq] {
				s.next = seq + 1
			}
		}
		if s.next == from || s.next == 0 {
			return nil
		}
		from = s.next
	}
}
