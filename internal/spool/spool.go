// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

const (
	// DefaultSegmentBytes is the size at which a segment is sealed. file_storage maps a segment's file into memory, so
	// about two of them count in the process's memory. Its files grow to powers of two: 12 MiB of entries take 16.
	DefaultSegmentBytes = 12 << 20

	// aheadBytes bounds what Next reads ahead in one transaction.
	aheadBytes = 1 << 20
)

var (
	// ErrFull says that there is no room for a reservation.
	ErrFull = errors.New("the spool is full")
	// ErrClosed says that the spool was used after Close.
	ErrClosed = errors.New("the spool is closed")
)

// Settings of a Spool.
type Settings struct {
	// Root holds the manifest, under the key "spool". The spool does not close it.
	Root storage.Client
	// OpenClient opens the storage client of the given name. Unlike a receiver's other clients these are closed and
	// opened again while the process runs, and must then hold what they held.
	OpenClient func(ctx context.Context, name string) (storage.Client, error)
	// MaxBytes bounds what all entries together take in storage. The files may be larger by their own overhead.
	MaxBytes int64
	// SegmentBytes overrides DefaultSegmentBytes.
	SegmentBytes int64
	// Keys seal the entries; nil leaves them plain.
	Keys *Keyring
	// OnRootLost is called, before anything is written, if Root was emptied while the segments are there: what the caller
	// kept in it is gone as well. An error of it fails Open, and the next one calls it again. May be nil.
	OnRootLost func(ctx context.Context) error
	Logger     *zap.Logger
}

// Spool is a write-ahead spool. It is safe for concurrent use.
type Spool struct {
	root         storage.Client
	open         func(ctx context.Context, name string) (storage.Client, error)
	maxBytes     int64
	segmentBytes int64
	keys         *Keyring
	onRootLost   func(context.Context) error
	logger       *zap.Logger

	stats atomic.Pointer[Stats]

	// mu is held during storage calls: a file storage does one at a time anyway.
	mu       sync.Mutex
	segments []*segment // in use, oldest first; entries are written to the last one
	slots    int        // segments ever used have the slots below
	next     uint64     // sequence number of the next entry
	left     uint64     // entries below were left by an earlier run
	bound    uint64     // above all that were ever promised to a segment, as the manifest says
	suspect  bool       // the last write failed: try another segment
	ahead    []*Entry   // read, to be handed out
	reserved int64
	lost     int
	rootLost bool
	missing  int
	repaired int
	shunned  map[int]time.Time // free slots that failed, and until when they come last
	closed   bool
	changed  chan struct{} // closed and replaced when there is something new to deliver or to reserve
}

// Stats is a snapshot of a spool.
type Stats struct {
	Entries  int
	Bytes    int64 // taken by entries
	Reserved int64 // promised to reads in flight
	MaxBytes int64
	Oldest   time.Time // when the oldest entry was received; zero for an empty spool
	Lost     int       // segments in use that were gone from the storage, with whatever they held
	Missing  int       // entries that were gone from the others
	RootLost bool      // Root was emptied while segments were there
	Repaired int       // times that the manifest or what a segment says of itself was damaged, and made anew
	// Unreadable segments are tried again; what they hold is not lost.
	Unreadable []int
}

// Open opens the spool or begins a new one. It fails if the storage cannot be read, if a newer release wrote it, or if
// entries are sealed with a key that was not given: starting without them would be a silent loss.
func Open(ctx context.Context, set Settings) (*Spool, error) {
	s := &Spool{
		root: set.Root, open: set.OpenClient, maxBytes: set.MaxBytes, segmentBytes: set.SegmentBytes,
		keys: set.Keys, onRootLost: set.OnRootLost, logger: set.Logger, next: 1, changed: make(chan struct{}),
		shunned: map[int]time.Time{},
	}
	if s.segmentBytes <= 0 {
		s.segmentBytes = DefaultSegmentBytes
	}
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(err, s.closeSegments(ctx))
	}
	s.left = s.next
	s.publish()
	return s, nil
}

func (s *Spool) load(ctx context.Context) error {
	m, missing, err := s.loadManifest(ctx)
	switch {
	case err != nil:
		return err
	case missing != nil:
		err = s.remake(ctx, missing)
	default:
		err = s.restore(ctx, m)
	}
	if err != nil {
		return err
	}
	for _, seg := range s.segments {
		if err := seg.opens(s.keys); err != nil {
			return err
		}
	}
	if missing != nil {
		return s.begin(ctx, s.keys.ID())
	}
	return s.prepare(ctx)
}

// restore takes the segments from the manifest. The first and the last may hold other than recorded, so they are looked
// into; the others were sealed and not touched since.
func (s *Spool) restore(ctx context.Context, m manifest) error {
	s.next, s.bound = m.Next, m.Next
	for i, r := range m.Segments {
		seg := &segment{
			slot: r.Slot, head: segmentHead{First: r.First, Next: m.Next, Key: r.Key}, last: r.Last, below: m.Next,
			entries: r.Entries, bytes: r.Bytes, oldest: r.Oldest,
		}
		if i < len(m.Segments)-1 {
			seg.below = min(m.Next, r.Last+seqBlock) // it was sealed after the last
		}
		s.slots = max(s.slots, r.Slot+1)
		if i == 0 || i == len(m.Segments)-1 {
			if err := s.look(ctx, seg); err != nil {
				return err
			}
		}
		s.segments = append(s.segments, seg)
	}
	s.slots = max(s.slots, m.Slots)
	return nil
}

// look opens a segment that is in use. One without a head was lost: that is said and counted.
func (s *Spool) look(ctx context.Context, seg *segment) error {
	recorded := seg.entries
	used, err := s.openSegment(ctx, seg)
	if err != nil || used {
		return err
	}
	s.lost++
	s.logger.Error("A segment of the spool is gone: the storage was emptied or recreated. What it held is lost, unless the storage kept a backup",
		zap.Int("segment", seg.slot), zap.Int("entries_when_sealed", recorded))
	return nil
}

// Close closes the storage clients the spool opened. Entries that were handed out stay in the spool.
func (s *Spool) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.announce()
	// What is in the segments is known now, and would show if it were missing at the next start.
	if err := s.saveManifest(ctx); err != nil {
		s.logger.Warn("The spool cannot note what it holds; nothing is lost by that.", zap.Error(err))
	}
	settle(ctx, s.root)
	return s.closeSegments(ctx)
}

func (s *Spool) closeSegments(ctx context.Context) error {
	var errs []error
	for _, seg := range s.segments {
		errs = append(errs, seg.close(ctx))
	}
	return errors.Join(errs...)
}

// Stats returns the current numbers without waiting for the storage.
func (s *Spool) Stats() Stats { return *s.stats.Load() }

// publish renews the snapshot. The caller holds the lock.
func (s *Spool) publish() {
	st := Stats{Reserved: s.reserved, MaxBytes: s.maxBytes, Lost: s.lost, RootLost: s.rootLost, Missing: s.missing, Repaired: s.repaired}
	for _, seg := range s.segments {
		if seg.trouble.err != nil {
			st.Unreadable = append(st.Unreadable, seg.slot)
		}
		st.Entries += seg.entries
		st.Bytes += seg.bytes
		if age := seg.age(); !age.IsZero() && (st.Oldest.IsZero() || age.Before(st.Oldest)) {
			st.Oldest = age
		}
	}
	s.stats.Store(&st)
}

// announce wakes whoever waits in Next or WaitForSpace. The caller holds the lock.
func (s *Spool) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Spool) tail() *segment { return s.segments[len(s.segments)-1] }

// insertByAge puts a rebuilt segment in the place its first sequence number gives it.
func (s *Spool) insertByAge(seg *segment) {
	at, _ := slices.BinarySearchFunc(s.segments, seg.head.First, func(other *segment, first uint64) int {
		if other.head.First < first {
			return -1
		}
		return 1
	})
	s.segments = slices.Insert(s.segments, at, seg)
}
