// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"fmt"

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
		return "", fmt.Errorf("writing to the spool: %w", err)
	}
	stored := ref{seq: seq, size: int64(len(value)), at: b.ReceivedAt}
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
	}
	if s.next < tail.head.Next && tail.head.Key == key {
		return nil
	}
	return tail.reserveSeqs(ctx, s.next, key)
}

// begin starts a new last segment. Head, then manifest, then entries: a crash between them leaves a segment that nobody
// knows of and that is empty.
func (s *Spool) begin(ctx context.Context, key string) error {
	fresh := &segment{slot: s.freeSlot()}
	if _, err := s.openSegment(ctx, fresh); err != nil {
		return err
	}
	// Entries found here were left by a deletion of unknown outcome; they are delivered again.
	err := fresh.reserveSeqs(ctx, s.next, key)
	if err == nil {
		s.segments = append(s.segments, fresh)
		s.slots = max(s.slots, fresh.slot+1)
		if err = s.saveManifest(ctx); err != nil {
			s.segments = s.segments[:len(s.segments)-1]
		}
	}
	if err != nil {
		return errors.Join(err, fresh.close(ctx))
	}
	s.suspect = false
	s.settle(ctx)
	return nil
}

// freeSlot picks the slot for a new segment: the next one after the current that is not in use, so that with a full
// disk every file with free space in it gets its turn; a slot that was never used only if there is no other.
func (s *Spool) freeSlot() int {
	inUse := make(map[int]bool, len(s.segments))
	current := -1
	for _, seg := range s.segments {
		inUse[seg.slot] = true
		current = seg.slot
	}
	for i := 1; i <= s.slots; i++ {
		if slot := (current + i) % s.slots; !inUse[slot] {
			return slot
		}
	}
	return s.slots
}

// settle drops segments that were emptied and closes those that are neither written nor read, to bound what is mapped
// into memory. Neither can lose anything, so a failure is only worth another try at the next occasion.
func (s *Spool) settle(ctx context.Context) {
	var kept, empty []*segment
	for i, seg := range s.segments {
		if i < len(s.segments)-1 && seg.entries == 0 {
			empty = append(empty, seg)
		} else {
			kept = append(kept, seg)
		}
	}
	if len(empty) > 0 {
		before := s.segments
		s.segments = kept
		if err := s.saveManifest(ctx); err != nil {
			s.segments = before
			s.logger.Warn("The spool cannot give up an emptied segment yet.", zap.Error(err))
			return
		}
	}
	idle := empty
	reached := false // the first segment that still has something to hand out
	for _, seg := range kept[:len(kept)-1] {
		if reached && len(seg.parked)+len(seg.busy) == 0 {
			idle = append(idle, seg)
		}
		reached = reached || seg.client == nil || len(seg.queue) > 0
	}
	for _, seg := range idle {
		if err := seg.close(ctx); err != nil {
			s.logger.Warn("The spool cannot close a segment.", zap.Int("segment", seg.slot), zap.Error(err))
		}
	}
}
