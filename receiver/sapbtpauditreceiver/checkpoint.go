// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// retention is how long SAP keeps what its services write (SAP-docs adaefa6). Nothing older can be read.
const retention = 90 * 24 * time.Hour

// firstRead is within what time the first answer is expected. What expires before that is not begun with: it would be announced
// as a gap, although nothing that was promised is missing.
const firstRead = 5 * time.Minute

const checkpointVersion = 1

// checkpoint is the stored progress of one subaccount.
type checkpoint struct {
	// Generation grows with every save, so that of two stored copies the newer one is known.
	Generation uint64         `json:"generation"`
	Progress   sweep.Progress `json:"progress"`
	timeMarks
}

// progressStore keeps the checkpoint in two copies that are written in turn. A copy that is damaged, by a torn write or a
// flipped bit, costs at most the last page's progress, which the seen ids make up for.
type progressStore struct {
	client     storage.Client
	prefix     string
	generation uint64
	marks      timeMarks // stored with each progress
}

// errDamaged tells that progress was stored and cannot be read any more: this is not a first start.
var errDamaged = errors.New("both stored copies of the progress are damaged")

// load returns the newest stored progress. It returns durable.ErrAbsent on a first start, errDamaged when there was
// progress that is lost, and every storage error as it is.
func (p *progressStore) load(ctx context.Context) (sweep.Progress, error) {
	newest := checkpoint{}
	found, damaged := false, false
	for slot := range uint64(2) {
		var c checkpoint
		err := durable.Load(ctx, p.client, p.key(slot), checkpointVersion, &c)
		switch {
		case err == nil && len(c.Progress.Passes) > 0:
			if !found || c.Generation > newest.Generation {
				newest, found = c, true
			}
		case errors.Is(err, durable.ErrAbsent):
		case err == nil, errors.Is(err, durable.ErrCorrupt):
			damaged = true
		default:
			return sweep.Progress{}, fmt.Errorf("reading the stored progress: %w", err)
		}
	}
	p.generation, p.marks = newest.Generation, newest.timeMarks
	switch {
	case found:
		return newest.Progress, nil
	case damaged:
		return sweep.Progress{}, errDamaged
	default:
		return sweep.Progress{}, durable.ErrAbsent
	}
}

// operation is the write that saves progress as the next generation.
func (p *progressStore) operation(progress sweep.Progress) (*storage.Operation, error) {
	raw, err := durable.Seal(checkpointVersion, checkpoint{Generation: p.generation + 1, Progress: progress, timeMarks: p.marks})
	if err != nil {
		return nil, err
	}
	return storage.SetOperation(p.key(p.generation+1), raw), nil
}

// saved tells that the last operation is in storage.
func (p *progressStore) saved() { p.generation++ }

func (p *progressStore) key(generation uint64) string {
	return p.prefix + "progress/" + strconv.FormatUint(generation%2, 10)
}

// begin is the progress of a subaccount of which nothing is read since so long ago.
func (s *subaccount) begin(now time.Time, lookback time.Duration) sweep.Progress {
	return sweep.New(s.cfg.Sweeps, max(now.Add(-lookback).Unix(), oldestBegin(now.Unix())))
}

// oldestBegin is the oldest event time that can be read in time at a moment, in Unix seconds.
func oldestBegin(now int64) int64 { return now - int64((retention-firstRead)/time.Second) }

// restore loads the subaccount's progress, or makes that of a first start and saves it, so that the time between a first
// start and its first page is not forgotten by a crash. at tells whether it can be a first start: if not, no
// progress is damaged progress.
func (s *subaccount) restore(ctx context.Context, at place) error {
	now := s.clock.showing()
	s.restored, s.restoredAt = time.Now(), now.Unix()
	progress, err := s.store.load(ctx)
	if at.begun && errors.Is(err, durable.ErrAbsent) {
		err = errDamaged
	}
	switch {
	case err == nil:
		if first := s.store.marks.First; first != nil {
			s.unsettled.Store(true)
			s.restoredAt = max(s.restoredAt, first.At)
		}
		s.proven.Store(s.store.marks.Proven)
		s.setProgress(progress.WithDelays(s.cfg.Sweeps))
		if s.store.marks.Begin != 0 {
			return nil
		}
		return s.storeFirst(ctx)
	case errors.Is(err, durable.ErrAbsent):
		s.setProgress(s.begin(now, s.cfg.InitialLookback))
		s.goOnFrom(ctx, at.from)
	case errors.Is(err, errDamaged):
		// Never "from now on": reading all that SAP still has repeats events and loses none.
		s.setProgress(s.begin(now, retention))
		s.logger.Error("The stored progress is damaged or gone; reading everything that SAP still keeps, so events are repeated with the same log.record.uid",
			labels(s)...)
	default:
		return err
	}
	// Until an answer has shown the server's clock.
	start := s.progress.Oldest()
	s.store.marks.First = &firstStart{Planned: start, Begun: start, At: s.restoredAt}
	s.unsettled.Store(true)
	return s.storeFirst(ctx)
}

// storeFirst stores progress that nothing was added to in this run.
func (s *subaccount) storeFirst(ctx context.Context) error {
	s.store.marks.Begin = s.progress.Oldest()
	op, err := s.store.operation(s.progress)
	if err != nil {
		return err
	}
	if err := s.store.client.Batch(ctx, op); err != nil {
		return fmt.Errorf("storing the first progress: %w", err)
	}
	s.store.saved()
	return nil
}

// goOnFrom begins with the progress that is stored elsewhere, if it can be read.
func (s *subaccount) goOnFrom(ctx context.Context, prefix string) {
	other := progressStore{client: s.store.client, prefix: prefix}
	if progress, err := other.load(ctx); prefix != "" && err == nil {
		s.setProgress(progress.WithDelays(s.cfg.Sweeps))
	}
}
