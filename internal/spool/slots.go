// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"
)

// shunFor is how long a free slot that could not be used is tried only after all others.
const shunFor = time.Minute

var errOccupied = errors.New("the segment holds entries")

// begin starts a new last segment, in the first free slot that works. Head, then manifest, then entries: a crash between
// them leaves a segment that nobody knows of and that is empty.
func (s *Spool) begin(ctx context.Context, key string) error {
	var failed []error
	for _, slot := range s.freeSlots() {
		err := s.beginIn(ctx, slot, key)
		switch {
		case err == nil:
			s.suspect = false
			s.settle(ctx)
			return nil
		case errors.Is(err, errOccupied):
			continue
		case ctx.Err() != nil:
			return err
		}
		failed = append(failed, err)
		s.shunned[slot] = time.Now().Add(shunFor)
		s.logger.Warn("The spool cannot begin a segment in this place and tries another.", zap.Int("segment", slot), zap.Error(err))
	}
	return errors.Join(failed...)
}

func (s *Spool) beginIn(ctx context.Context, slot int, key string) error {
	fresh := &segment{slot: slot}
	if _, err := s.openSegment(ctx, fresh); err != nil {
		return err
	}
	if fresh.entries > 0 {
		s.adopt(fresh)
		return errOccupied
	}
	fresh.done, fresh.last = nil, 0
	err := s.extend(ctx, fresh, key)
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
	return nil
}

// adopt takes a segment into use that was thought to be free and is not: a deletion did not last, or the manifest is old.
// Its entries may be sealed with another key, so nothing is written to it.
func (s *Spool) adopt(seg *segment) {
	s.logger.Warn("A free segment of the spool holds entries: they are delivered, perhaps once more",
		zap.Int("segment", seg.slot), zap.Int("entries", seg.entries))
	seg.head.Key = seg.queue[0].seal
	s.segments = slices.Insert(s.segments, 0, seg)
	s.slots = max(s.slots, seg.slot+1)
	s.announce()
	s.publish()
}

// freeSlots lists the slots to try for a new segment: those not in use, from the one after the current, so that with a full
// disk every file with free space in it gets its turn; then one that was never used; then those that failed lately.
func (s *Spool) freeSlots() []int {
	inUse := make(map[int]bool, len(s.segments))
	current := -1
	for _, seg := range s.segments {
		inUse[seg.slot] = true
		current = seg.slot
	}
	var free, shunned []int
	for i := 1; i <= s.slots+1; i++ {
		slot := s.slots // never used
		if i <= s.slots {
			slot = (current + i) % s.slots
		}
		switch {
		case inUse[slot]:
		case time.Now().Before(s.shunned[slot]):
			shunned = append(shunned, slot)
		default:
			free = append(free, slot)
		}
	}
	return append(free, shunned...)
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
		readable := seg.client == nil || len(seg.queue) > 0
		reached = reached || (readable && seg.trouble.err == nil)
	}
	for _, seg := range idle {
		if err := seg.close(ctx); err != nil {
			s.logger.Warn("The spool cannot close a segment.", zap.Int("segment", seg.slot), zap.Error(err))
		}
	}
}
