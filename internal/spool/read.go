// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Entry is a batch that was handed out for delivery. It stays in the spool until Delete.
type Entry struct {
	// ID was given to the batch when it was committed.
	ID string
	// Seq is the place of the entry in the spool.
	Seq uint64
	Batch
	// Again says that the entry was handed out and returned before.
	Again bool
	// Left says that an earlier run left it.
	Left bool
	// Mark is what was noted beside it when it was handed out.
	Mark Mark
	// Err is ErrCorrupt if the stored form is damaged. Then ID and Batch are empty.
	Err error
	// Raw is what the storage holds, if the entry is damaged or work on it was begun before.
	Raw []byte

	segment *segment
	ref     ref
}

// Next hands out the oldest entry that is not handed out yet, and waits for one if there is none. An error other than
// that of the context means that a part of the storage could not be read and nothing else is left; nothing was taken, and
// Next may be called again.
func (s *Spool) Next(ctx context.Context) (*Entry, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		e, err := s.take(ctx)
		changed, due := s.changed, s.due()
		s.mu.Unlock()
		if e != nil || err != nil {
			return e, err
		}
		wait(ctx, changed, due)
	}
}

// take returns nil if there is nothing to hand out.
func (s *Spool) take(ctx context.Context) (*Entry, error) {
	if s.closed {
		return nil, ErrClosed
	}
	if len(s.ahead) == 0 {
		if err := s.readAhead(ctx); err != nil {
			return nil, err
		}
	}
	if len(s.ahead) == 0 {
		return nil, nil
	}
	e := s.ahead[0]
	s.ahead = s.ahead[1:]
	return e, nil
}

// readAhead fetches the next entries from the oldest segment that can be read. One that cannot does not hold up the others:
// its error is returned only if they have nothing.
func (s *Spool) readAhead(ctx context.Context) error {
	var failed []error
	try := func() {
		for _, seg := range s.segments {
			if len(s.ahead) > 0 || ctx.Err() != nil || seg.trouble.waits() {
				continue
			}
			switch err := s.fetch(ctx, seg); {
			case err == nil:
				s.untroubled(seg)
			case ctx.Err() == nil:
				s.troubled(seg, err)
				failed = append(failed, err)
			}
		}
	}
	try()
	if len(s.ahead) == 0 && s.unpark() {
		try()
	}
	if len(s.ahead) > 0 {
		return nil
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// unpark lets the entries that were returned to the oldest such segment be handed out again.
func (s *Spool) unpark() bool {
	for _, seg := range s.segments {
		if len(seg.parked) > 0 && !seg.trouble.waits() {
			// The queue need not be empty: a segment that could not be read can have become due since it was passed over.
			seg.queue, seg.parked = append(seg.queue, seg.parked...), nil
			return true
		}
	}
	return false
}

// fetch reads the next entries of a segment, at least one if there are any and about aheadBytes at most, in one transaction.
func (s *Spool) fetch(ctx context.Context, seg *segment) error {
	if seg.client == nil && seg.entries > 0 {
		if err := s.look(ctx, seg); err != nil {
			return err
		}
		s.publish()
	}
	if len(seg.queue) == 0 {
		return nil
	}
	var ops []*storage.Operation
	size := int64(0)
	for _, r := range seg.queue {
		if size += r.size; size > aheadBytes && len(ops) > 0 {
			break
		}
		ops = append(ops, storage.GetOperation(r.key()), storage.GetOperation(markKey(r.seq)))
	}
	if err := seg.client.Batch(ctx, ops...); err != nil {
		return fmt.Errorf("reading segment %d of the spool: %w", seg.slot, err)
	}
	entries := make([]*Entry, 0, len(ops)/2)
	for i, r := range seg.queue[:len(ops)/2] {
		mark, marked := markOf(ops[2*i+1])
		r.marked = r.marked || marked
		e, err := s.entry(seg, r, ops[2*i].Value, mark)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	for _, e := range entries {
		seg.busy[e.ref.seq] = e.ref
	}
	seg.queue = seg.queue[len(entries):]
	s.ahead = entries
	return nil
}

func (s *Spool) entry(seg *segment, r ref, stored []byte, mark Mark) (*Entry, error) {
	e := &Entry{Seq: r.seq, Again: r.again, Left: r.seq < s.left, Mark: mark, segment: seg, ref: r}
	e.ID, e.Batch, e.Err = decodeEntry(r.seq, stored, s.keys)
	switch {
	case e.Err == nil && mark.Begun > 0:
		e.Raw = stored
	case e.Err == nil:
	case errors.Is(e.Err, ErrCorrupt):
		e.Raw = stored
	default:
		return nil, e.Err
	}
	return e, nil
}

// Delete removes an entry for good. It may be called again after an error.
func (s *Spool) Delete(ctx context.Context, e *Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	seg := e.segment
	r, ok := seg.busy[e.ref.seq]
	if !ok {
		return nil
	}
	if err := seg.delete(ctx, r); err != nil {
		return fmt.Errorf("deleting from segment %d of the spool: %w", seg.slot, err)
	}
	delete(seg.busy, e.ref.seq)
	seg.entries--
	seg.bytes -= e.ref.size
	s.settle(ctx)
	s.announce()
	s.publish()
	return nil
}

// Return gives an entry back that could not be delivered now. It is handed out again when no other entry waits; the
// caller sets the pace.
func (s *Spool) Return(e *Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg := e.segment
	r, ok := seg.busy[e.ref.seq]
	if !ok || s.closed {
		return
	}
	delete(seg.busy, e.ref.seq)
	r.again = true
	seg.parked = append(seg.parked, r)
	s.announce()
}
