// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"time"

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

func (s *Spool) loadManifest(ctx context.Context) (m manifest, found bool, err error) {
	err = durable.Load(ctx, s.root, manifestKey, manifestVersion, &m)
	switch {
	case errors.Is(err, durable.ErrAbsent):
		return manifest{}, false, nil
	case errors.Is(err, durable.ErrCorrupt):
		s.repaired++
		s.logger.Error("The spool's manifest is damaged; it is rebuilt from the segments.")
		return manifest{}, false, nil
	case err != nil:
		return manifest{}, false, err
	}
	return m, true, nil
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

// rebuild finds the segments in use by looking at each slot. Slots are taken in ascending order, so the first that was
// never written ends the search. On a first start that is slot 0, and nothing is found.
func (s *Spool) rebuild(ctx context.Context) error {
	for slot := 0; ; slot++ {
		seg := &segment{slot: slot}
		used, err := s.openSegment(ctx, seg)
		if err != nil {
			return err
		}
		if !used {
			return seg.close(ctx)
		}
		s.slots = slot + 1
		s.next = max(s.next, seg.head.Next)
		if seg.entries > 0 {
			s.insertByAge(seg)
		}
		if err := seg.close(ctx); err != nil {
			return err
		}
	}
}
