// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

// manifestKey is where the manifest lives in the caller's client.
const manifestKey = "spool"

// manifestVersion is the format of the manifest, the heads and the entries together.
const manifestVersion = 1

// manifest says which segments are in use, oldest first. The last one is being written.
type manifest struct {
	// Next is above all sequence numbers in use: it is raised before a head is.
	Next uint64 `json:"next"`
	// Slots were used at least once: those below this number.
	Slots    int      `json:"slots"`
	Segments []record `json:"segments"`
}

// record is what the manifest knows of a segment. What it held is exact when it was sealed and an upper bound later:
// entries are deleted without a write here.
type record struct {
	Slot    int       `json:"slot"`
	First   uint64    `json:"first"`
	Last    uint64    `json:"last,omitempty"` // that was committed by then
	Key     string    `json:"key,omitempty"`
	Entries int       `json:"entries"`
	Bytes   int64     `json:"bytes"`
	Oldest  time.Time `json:"oldest,omitzero"`
}

// loadManifest returns, beside the error of the storage, durable.ErrAbsent or durable.ErrCorrupt if there is none to go by.
func (s *Spool) loadManifest(ctx context.Context) (m manifest, missing, err error) {
	err = durable.Load(ctx, s.root, manifestKey, manifestVersion, &m)
	if damaged(err) {
		return manifest{}, err, nil
	}
	return m, nil, err
}

// remake makes a manifest from the segments. None is written before the first manifest, so if there are some and it is absent,
// it was lost, with all else that was in the same client.
func (s *Spool) remake(ctx context.Context, missing error) error {
	if err := s.rebuild(ctx, errors.Is(missing, durable.ErrCorrupt)); err != nil {
		return err
	}
	switch {
	case errors.Is(missing, durable.ErrCorrupt):
		s.repaired++
		s.logger.Error("The spool's manifest is damaged; it is rebuilt from the segments.")
	case s.slots > 0:
		s.rootLost = true
		s.logger.Error("The spool's manifest is gone while its segments are there: the storage was emptied in part, or a file of it was removed. "+
			"It is rebuilt from the segments", zap.Int("segments", s.slots))
		// Before the manifest is written, so that a crash between the two forgets nothing.
		if s.onRootLost != nil {
			return s.onRootLost(ctx)
		}
	default: // a first start
		return s.saveManifest(ctx)
	}
	return nil
}

// saveManifest writes which segments are in use.
func (s *Spool) saveManifest(ctx context.Context) error {
	s.bound = max(s.bound, s.next)
	m := manifest{Next: s.bound, Slots: s.slots}
	for _, seg := range s.segments {
		m.Segments = append(m.Segments, seg.record())
	}
	return durable.Save(ctx, s.root, manifestKey, manifestVersion, m)
}

// maxHoles is how many slots in a row may be gone before a rebuild takes it that there are no more.
const maxHoles = 8

// rebuild finds the segments in use by looking at each slot. Slots are taken in ascending order, so on a first start, of which
// damaged says that it is none, the first that was never written ends the search. Otherwise one before others that are in
// use was lost, perhaps by what has damaged the manifest.
func (s *Spool) rebuild(ctx context.Context, damaged bool) error {
	holes := 0
	for slot := 0; ; slot++ {
		seg := &segment{slot: slot}
		used, err := s.openSegment(ctx, seg)
		if err != nil {
			return err
		}
		switch {
		case used && holes > 0:
			s.lost += holes
			s.logger.Error("Segments of the spool are gone. What they held is lost, unless the storage kept a backup",
				zap.Int("segments", holes), zap.Int("before_segment", slot))
			fallthrough
		case used:
			holes, damaged = 0, true
			s.slots = slot + 1
			s.next = max(s.next, seg.head.Next)
			if seg.entries > 0 {
				s.insertByAge(seg)
			}
		default:
			holes++
		}
		if err := seg.close(ctx); err != nil {
			return err
		}
		if holes > maxHoles || holes > 0 && !damaged {
			return nil
		}
	}
}
