// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

// readAll polls until ctx ends. patience outlives ctx: reads in flight are made under it.
func (e *engine) readAll(ctx, patience context.Context) {
	for ctx.Err() == nil {
		wait := e.poll(ctx, patience)
		// No read is open now, and a crash during the pause should not count any.
		if err := e.reading.clear(context.WithoutCancel(ctx)); err != nil {
			e.logger.Warn("Noting that no read is open failed; after a crash they are counted too often", zap.Error(err))
		}
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// poll reads until nothing is left, something fails or ctx ends, and returns, with no read open, how long to wait. It does not
// pause at max_events_per_poll: a poll that ends there is followed by the next one at once, so that nothing expires because
// of a limit.
func (e *engine) poll(ctx, patience context.Context) time.Duration {
	replies := make(chan *reply)
	wait, open, stop := e.cfg.PollInterval, 0, false
	for {
		for !stop && open < e.pace.readers && ctx.Err() == nil && e.unsaved.Load() == 0 {
			room, err := e.reserve(ctx, open > 0)
			if err != nil {
				wait, stop = e.failed(err), true
			}
			if room == nil {
				break
			}
			open++
			e.open.Store(int64(open))
			go func() { replies <- e.fetch(ctx, patience, room) }()
		}
		if open == 0 {
			return wait
		}
		if open < e.pace.readers {
			e.pace.stalled()
		}
		r := <-replies
		open--
		e.open.Store(int64(open))
		e.pace.weigh(r.size)
		if err := e.judge(ctx, r); err != nil && !stop && !r.unsent(ctx) {
			wait, stop = e.failed(err), true
		}
		stop = stop || (open == 0 && r.empty())
	}
}

// reserve makes room for one read and notes that it may be open. It returns nil without an error if there is no room now. If
// no other read is open, it waits for room.
func (e *engine) reserve(ctx context.Context, others bool) (*spool.Reservation, error) {
	need := e.cfg.reservation()
	for {
		room, err := e.spool.Reserve(ctx, need)
		switch {
		case err == nil:
			e.spoolHasRoom()
			if err = e.reading.allow(ctx, e.pace.readers); err != nil {
				room.Release()
				return nil, fmt.Errorf("noting in storage that reads are open: %w", err)
			}
			return room, nil
		case !errors.Is(err, spool.ErrFull):
			return nil, err
		case others:
			return nil, nil
		}
		e.pace.stalled()
		e.spoolIsFull()
		if err := e.reading.clear(ctx); err != nil {
			return nil, err
		}
		if e.spool.WaitForSpace(ctx, need) != nil {
			return nil, nil // ctx ends
		}
	}
}

// judge decides what a reply means for reading on. An error stops this poll.
func (e *engine) judge(ctx context.Context, r *reply) error {
	switch {
	case r.err == nil && r.odd:
		return errNotEvents
	case r.err == nil:
		e.works(ctx, r)
		return nil
	case r.sent == 0: // what the token service said is no word of the API
	case httpcall.KindOf(r.err) == httpcall.KindUnauthorized && e.api.tokens != nil:
		return e.unauthorized(r)
	case httpcall.KindOf(r.err) == httpcall.KindForbidden && e.api.tokens != nil:
		e.api.tokens.Drop(r.token) // a scope may have been granted since
	case e.api.bulkMissing(r):
		e.bulkIsMissing()
		return nil
	}
	return r.err
}

// bulkIsMissing says once that reading is slow, and as a status when it stays so.
func (e *engine) bulkIsMissing() {
	if e.api.bulkSeen && e.api.bulkRetry >= bulkTrouble {
		e.status.Set(causePath, errBulkMissing)
	}
	if e.api.bulkRetry == minBulkRetry {
		e.logger.Warn("The API does not know "+pathBulk+"; reading single events from "+pathSingle+" for a while, which is slower. "+
			"The other path is tried again, less and less often", zap.Stringer("for", e.api.bulkRetry))
	}
}

// unauthorized makes the next read come at once with a new token. If that is refused as well, something else is wrong. Reads
// that were sent side by side with the same token are refused together, which counts once.
func (e *engine) unauthorized(r *reply) error {
	if r.token == e.refused {
		return nil
	}
	e.api.tokens.Drop(r.token)
	e.refused = r.token
	if e.doubted {
		return r.err
	}
	e.doubted = true
	return nil
}

// works takes in a reply that came whole.
func (e *engine) works(ctx context.Context, r *reply) {
	caughtUp := e.pace.observe(r)
	e.doubted = false
	if r.path == pathBulk && e.api.bulkFound() {
		e.status.Set(causePath, nil)
		e.logger.Info("The API knows " + pathBulk + " again")
	}
	if e.failing != "" {
		e.failing = ""
		e.logger.Info("Reading works again")
	}
	e.status.Set(causeReading, nil)
	date, _ := http.ParseTime(r.header.Get("Date")) // zero if there is none
	e.reading.moved(e.clock.observe(date, r.seen))
	if e.announceGap(ctx, r.seen.shown, caughtUp) {
		e.reading.answered(r.seen.shown, caughtUp)
	}
}

// failed reports why reading does not work and returns how long to wait.
func (e *engine) failed(err error) time.Duration {
	var asked time.Duration
	if call, ok := errors.AsType[*httpcall.Error](err); ok {
		asked = call.RetryAfter
	}
	wait := e.pace.failed(asked)
	if e.failing != "" {
		e.status.Set(causeReading, err) // not at the first failure, which often stays alone
	}
	// A failure that goes on is one line, until it changes.
	if text := err.Error(); text != e.failing {
		e.failing = text
		e.logger.Warn("Reading failed and is tried again", zap.Error(err), zap.Stringer("retry_in", wait.Round(time.Millisecond)))
	}
	return wait
}

func (e *engine) spoolIsFull() {
	e.status.Set(causeSpool, errSpoolFull)
	if !e.full {
		e.full = true
		e.logger.Error("The spool is full: reading stops until events are delivered. What is not read within an hour is deleted by the vendor",
			zap.Int64("bytes", e.spool.Stats().Bytes), zap.Int64("limit", e.spool.Stats().MaxBytes))
	}
}

func (e *engine) spoolHasRoom() {
	wasFull := e.full
	if wasFull {
		e.full = false
		e.logger.Info("The spool has room again, reading goes on")
	}
	used := e.spool.Stats()
	usable := used.MaxBytes - e.cfg.reservation() // beyond that reading stops
	switch {
	case used.Bytes > usable/10*8:
		e.status.Set(causeSpool, errSpoolFills)
	case used.Bytes < usable/10*7 || wasFull:
		e.status.Set(causeSpool, nil)
	}
}
