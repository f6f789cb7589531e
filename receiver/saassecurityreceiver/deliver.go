// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

const (
	minPassPause = 10 * time.Millisecond
	maxPassPause = 30 * time.Second
)

// passAll delivers until ctx ends. Nothing that fails is dropped: it stays in the spool and is tried again after the others.
func (e *engine) passAll(ctx context.Context) {
	mapper := e.mapping.mapper()
	pause := time.Duration(0)
	for ctx.Err() == nil {
		// What the next component refuses while it takes others waits by itself.
		if err := e.pass(ctx, mapper); err == nil || errors.Is(err, delivery.ErrRefusedAlone) {
			pause = 0
			continue
		}
		pause = min(max(2*pause, minPassPause, e.cfg.RetryOnFailure.InitialInterval), maxPassPause)
		if sleep(ctx, pause) != nil {
			return
		}
	}
}

// deliver hands on a part of an entry. again tells that the entry will come again, because something else of it was refused.
func (e *engine) deliver(ctx context.Context, p parsed, again bool) error {
	logs, before := e.asides.remaining(p.logs)
	out, err := e.deliverer.DeliverOutcome(ctx, logs)
	quarantined := before.quarantined + out.Quarantined
	// Besides events there can be what was none.
	delivered := max(before.counted, min(p.events, p.logs.LogRecordCount()-out.Left.LogRecordCount())-quarantined)
	e.tel.delivered(ctx, delivered-before.counted)
	if err != nil {
		e.asides.note(p.logs, out.Left, quarantined, delivered)
		return err
	}
	if again {
		e.asides.note(p.logs, out.Left, quarantined, delivered)
	} else {
		e.asides.passed(p.logs)
	}
	if !before.through {
		e.tel.odd(ctx, p)
	}
	if at := p.newest.UnixNano(); !p.newest.IsZero() && at > e.newest.Load() {
		e.newest.Store(at)
	}
	return nil
}

// unreadable reports that the spool cannot be read. Nothing is given up because of it.
func (e *engine) unreadable(ctx context.Context, err error) error {
	if ctx.Err() == nil && !errors.Is(err, spool.ErrClosed) {
		e.status.Set(causeReplay, cmp.Or(e.unreadableSegments(), errReplay))
		e.logger.Error("The spool cannot be read; delivery waits until the storage works", zap.Error(err))
	}
	return err
}

// reportSpool raises the status if the storage has lost or damaged a part of the spool, which shows when a segment is opened.
func (e *engine) reportSpool() {
	stats := e.spool.Stats()
	switch {
	case stats.Lost > 0 || stats.RootLost:
		e.lasting.Set(causeLost, errSpoolLost)
	case stats.Missing > 0:
		e.lasting.Set(causeLost, errMissing)
	}
	if stats.Repaired > 0 {
		e.lasting.Set(causeDamage, errMended)
	}
	if len(stats.Unreadable) > 0 {
		e.reportUnreadable()
	}
}

// reportUnreadable says which parts of the spool cannot be read, while the others are delivered.
func (e *engine) reportUnreadable() { e.status.Set(causeReplay, e.unreadableSegments()) }

func (e *engine) unreadableSegments() error {
	bad := e.spool.Stats().Unreadable
	if len(bad) == 0 {
		return nil
	}
	return fmt.Errorf("segments %v of the spool cannot be read; the others are delivered, and these are tried again: check their files", bad)
}

// forget deletes what was delivered. Until that worked it would be delivered again after a restart, under the same identifiers.
func (e *engine) forget(ctx context.Context, entry *spool.Entry) error {
	for pause := minPassPause; ; pause = min(2*pause, maxPassPause) {
		err := e.spool.Delete(context.WithoutCancel(ctx), entry)
		if err == nil {
			e.asides.ended(entry)
			e.reportUnreadable()
			return nil
		}
		if errors.Is(err, spool.ErrClosed) || sleep(ctx, pause) != nil {
			return err
		}
		e.status.Set(causeReplay, errForget)
		e.logger.Error("Delivered events cannot be deleted from the spool; a restart would deliver them again", zap.Error(err))
	}
}

// graceful is the next consumer as the deliverer sees it. A call that is under way at Shutdown is not cancelled with the retries
// around it but may end in peace, so that a clean restart repeats nothing.
type graceful struct {
	next consumer.Logs
	life context.Context // of its calls
}

func (g *graceful) Capabilities() consumer.Capabilities { return g.next.Capabilities() }

func (g *graceful) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(g.life, cancel)() //nolint:contextcheck // the life of the receiver, besides that of the call
	return g.next.ConsumeLogs(ctx, logs)
}
