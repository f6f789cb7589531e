// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
	"github.com/otelcol-audit/otelcol-audit/internal/status"
)

const (
	// workers deliver at the same time. Two at least: a single record that is refused can be told from a backend that is
	// down only if others are accepted meanwhile.
	workers = 4

	// consumeGrace is how long a ConsumeLogs call may go on after Shutdown, so that a clean restart repeats nothing.
	consumeGrace = 5 * time.Second

	// readGrace is how long after a read's own timeout Shutdown still tries to commit what it brought.
	readGrace = 10 * time.Second

	// lastGrace is for what has been cancelled to return.
	lastGrace = time.Second
)

// engine reads and delivers from a Start to a Shutdown, or for one term of a leader.
type engine struct {
	cfg        *Config
	api        *api
	spool      *spool.Spool
	reading    *readingLog
	clock      *clock
	quarantine *quarantine.Store
	consumer   *graceful
	deliverer  *delivery.Deliverer
	tel        *telemetry
	status     *status.Scope    // of what is over when the engine is
	lasting    *status.Reporter // of what somebody has to look at
	logger     *zap.Logger
	mapping    mapping
	asides     *asides

	// Owned by the goroutine of poll.go.
	pace    *pace
	refused oauth.Token // the last one that got a 401
	doubted bool        // a 401 came, and no good reply since
	failing string      // why reading fails, as the log says; empty if it works
	full    bool        // the spool is full, and the log says so

	open    atomic.Int64 // reads in flight
	unsaved atomic.Int64 // replies that the spool did not take yet
	newest  atomic.Int64 // time of the newest delivered event, Unix nanoseconds

	suspect chan struct{} // holds one: entries that may have ended a run are worked on one at a time

	stopReading, stopPassing, giveUp context.CancelFunc
	endConsuming                     context.CancelFunc
	readers, passers, watchers       sync.WaitGroup
}

// run starts both halves of the cycle and returns.
func (e *engine) run(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // Start's context ends when Start returns
	patience, giveUp := context.WithCancel(ctx)
	reading, stopReading := context.WithCancel(patience)
	passing, stopPassing := context.WithCancel(ctx)
	e.consumer.life, e.endConsuming = context.WithCancel(ctx)
	e.stopReading, e.stopPassing, e.giveUp = stopReading, stopPassing, giveUp
	e.readers.Go(func() { e.readAll(reading, patience) })
	e.watchers.Go(func() { e.watchExpiry(reading) })
	// A crash repeats at most an entry of each; no more of them than needed.
	for range min(workers, max(2, e.cfg.MaxReaders)) {
		e.passers.Go(func() { e.passAll(passing) })
	}
	e.passers.Go(func() { e.offerAgain(passing) })
}

// stop ends reading, then delivery. Reads in flight are waited for and spooled, as long as ctx and their own timeouts allow;
// only then they are given up and counted. It returns an error if something had to be left behind.
func (e *engine) stop(ctx context.Context) error {
	inMemory := e.cfg.StorageID == nil
	e.stopReading()
	if !inMemory {
		defer e.stopDelivery().Stop()
	}
	patience := time.AfterFunc(e.cfg.ClientConfig.Timeout+readGrace, e.giveUp)
	defer patience.Stop()
	var errs []error
	if !finished(ctx, &e.readers) {
		errs = append(errs, fmt.Errorf("shutting down before reads were answered, their events may be lost: %w", ctx.Err()))
	}
	e.giveUp()
	if !finishedWithin(ctx, lastGrace, &e.readers) {
		errs = append(errs, errors.New("shutting down while the storage does not answer"))
	}
	if inMemory {
		e.drain(ctx)
		defer e.stopDelivery().Stop()
	}
	if !finished(ctx, &e.passers) {
		e.endConsuming()
		if !finishedWithin(ctx, lastGrace, &e.passers) {
			errs = append(errs, errors.New("shutting down while the next component does not return; its log records are delivered again at the next start"))
		}
	}
	e.endConsuming()
	e.watchers.Wait()
	if left := e.spool.Stats(); inMemory && left.Entries > 0 {
		e.logger.Error("The spool is in memory and not empty: its events are lost. Set storage to keep them",
			zap.Int("replies", left.Entries), zap.Int64("bytes", left.Bytes))
	}
	return errors.Join(errs...)
}

// stopDelivery lets calls of the next consumer that are under way go on for a while, and begins no others.
func (e *engine) stopDelivery() *time.Timer {
	e.stopPassing()
	return time.AfterFunc(consumeGrace, e.endConsuming)
}

// drain waits for a spool that does not outlive the process to become empty.
func (e *engine) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, consumeGrace)
	defer cancel()
	for e.spool.Stats().Entries > 0 && sleep(ctx, 10*time.Millisecond) == nil {
		continue
	}
}

// finished waits for a group and reports whether it ended before ctx.
func finished(ctx context.Context, group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		group.Wait()
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// finishedWithin waits even if ctx has ended.
func finishedWithin(ctx context.Context, d time.Duration, group *sync.WaitGroup) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	defer cancel()
	return finished(ctx, group)
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
