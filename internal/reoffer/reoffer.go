// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package reoffer offers what is in the quarantine to the next consumer again: a record can have been refused because of a
// backend that was sick, or that has learned since to take it. What is accepted leaves the quarantine, all else stays.
package reoffer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
)

// Pauses. After a refusal the next record waits, so that a backend that is down gets no more than a request in a while; records
// that were not refused for good are offered again in the same round, ever more rarely.
const (
	minPause = time.Second
	maxPause = 30 * time.Second
	minRest  = time.Minute
	maxRest  = time.Hour
)

// Settings say what is offered to whom, and when. All fields are required.
type Settings struct {
	Store     *quarantine.Store
	Deliverer *delivery.Deliverer
	// Interval is the time from the beginning of a round, in which everything is offered, to the next one's. 0: there is one
	// round only.
	Interval time.Duration
	Logger   *zap.Logger
	// OnAccepted is told what was accepted, once for each entry.
	OnAccepted func(quarantine.Entry, plog.Logs)
	// OnChange is told that entries may have left the quarantine, or have turned out to be damaged.
	OnChange func()
}

// Run offers what is in the quarantine at once, and then every interval, until ctx ends.
func Run(ctx context.Context, set Settings) {
	for {
		r := round{Settings: set, begun: time.Now()}
		if r.run(ctx) != nil || set.Interval <= 0 || sleep(ctx, time.Until(r.begun.Add(set.Interval))) != nil {
			return
		}
	}
}

// round offers each entry until it is accepted, or refused for good, or the next round is due.
type round struct {
	Settings

	begun    time.Time
	pause    time.Duration // after the last offer
	accepted int
	refused  int
}

// verdict is what becomes of an entry in a round.
type verdict int

const (
	settled verdict = iota // it is gone, or nothing can be done with it
	refused                // it stays until the next round
	later                  // nobody knows yet
)

// run returns an error only if ctx has ended.
func (r *round) run(ctx context.Context) error {
	defer r.tell()
	todo, err := r.Store.Seqs(ctx)
	for rest := minRest; err != nil; rest = min(2*rest, maxRest) {
		r.Logger.Warn("The quarantine cannot be read; trying again", zap.Error(err))
		if sleep(ctx, rest) != nil {
			return ctx.Err()
		}
		todo, err = r.Store.Seqs(ctx)
	}
	for rest := minRest; len(todo) > 0; rest = min(2*rest, maxRest) {
		todo = r.pass(ctx, todo)
		r.OnChange()
		if ctx.Err() != nil || len(todo) == 0 || r.over(rest) {
			break
		}
		if err := sleep(ctx, rest); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// over reports whether the next round is due before a rest is over.
func (r *round) over(rest time.Duration) bool {
	return r.Interval > 0 && time.Since(r.begun)+rest >= r.Interval
}

// pass offers each entry once, and returns those that are to be offered again in this round.
func (r *round) pass(ctx context.Context, todo []uint64) (again []uint64) {
	for i, seq := range todo {
		before := r.pause
		switch r.offer(ctx, seq) {
		case settled:
			continue
		case refused:
			r.refused++
		case later:
			again = append(again, seq)
		}
		r.pause = min(max(2*before, minPause), maxPause)
		if ctx.Err() != nil || i < len(todo)-1 && sleep(ctx, r.pause) != nil {
			break
		}
	}
	return again
}

// offer offers one entry, and deletes it if all of it was accepted.
func (r *round) offer(ctx context.Context, seq uint64) verdict {
	entry, err := r.Store.Get(ctx, seq)
	switch {
	case errors.Is(err, quarantine.ErrCorrupt), errors.Is(err, quarantine.ErrAbsent):
		return settled
	case err != nil:
		return later
	case entry.Format != quarantine.FormatOTLPProto:
		return settled // what was damaged before it became a record
	}
	logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(entry.Data)
	if err != nil {
		return settled
	}
	switch err := r.Deliverer.Once(ctx, logs); {
	case err == nil:
	case consumererror.IsPermanent(err):
		return refused
	default:
		return later
	}
	r.accepted++
	r.pause = 0
	r.OnAccepted(entry, logs)
	r.delete(ctx, seq)
	return settled
}

// delete does not give up: as long as the entry is there, a restart would deliver it again.
func (r *round) delete(ctx context.Context, seq uint64) {
	told := false
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		// What was delivered is deleted even while stopping, so that a clean stop repeats nothing.
		err := r.Store.Delete(context.WithoutCancel(ctx), seq)
		if err == nil {
			return
		}
		if !told {
			told = true
			r.Logger.Error("A delivered event cannot be deleted from the quarantine; a restart would deliver it again", zap.Error(err))
		}
		if sleep(ctx, pause) != nil {
			return
		}
	}
}

// tell sums up the round, if it had anything to offer.
func (r *round) tell() {
	if r.accepted+r.refused > 0 {
		r.Logger.Info("The events in the quarantine were offered again", zap.Int("accepted", r.accepted), zap.Int("refused", r.refused))
	}
}

// sleep waits, or returns the error of ctx if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
