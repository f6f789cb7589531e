// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package delivery hands log records to the next consumer until it is proven that each of them was accepted, or that it alone
// is refused while others are accepted; then its original goes into the quarantine.
//
// Every error of ConsumeLogs means "not delivered". That an error calls itself permanent changes the pace and what is
// tried next, and never causes a drop: a backend with revoked credentials answers everything with permanent errors.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
)

var (
	// ErrRefusedAlone says that the only record of a call was refused permanently several times and that nothing else was
	// accepted meanwhile, so it cannot be told from a backend that is down. The record stays undelivered; the caller may
	// come back with it, alone or with more records. If it comes back alone it is compared with what other calls of the
	// Deliverer got accepted in between; until there is something, this error follows after fewer attempts.
	ErrRefusedAlone = errors.New("a single record is refused, and there is no other to compare with")
	// ErrGaveUp says that retrying is disabled or has lasted for max_elapsed_time. Of the call's records some may have
	// been accepted; the caller must treat all of them as undelivered.
	ErrGaveUp = errors.New("gave up delivering")
)

// Settings configure a Deliverer. Fields without a remark are required.
type Settings struct {
	ID     component.ID // the receiver
	Source string       // named as the source of quarantined records; default: ID
	Next   consumer.Logs
	Retry  configretry.BackOffConfig // endless if MaxElapsedTime is 0; if disabled, the first error ends the call
	Logger *zap.Logger

	// ObsReport counts accepted and refused records by their final outcome: one operation for each Deliver call, however
	// often it retries, and a second one if some of its records were accepted and others not. Quarantined records
	// count as refused. May be nil.
	ObsReport *receiverhelper.ObsReport
	Format    string // of the records, for ObsReport

	// Quarantine takes the records that are refused for good. Without it, or while it is full, they are retried for ever.
	Quarantine *quarantine.Store

	// Grace is how long a call of the consumer may go on after the context of Deliver has ended. Default 0: it is cut off.
	Grace time.Duration

	// OnProblem is told that delivery does not work, or that a call of the consumer has been under way for more than a minute, and
	// nil when all is well again; on change only. It must not call the Deliverer. May be nil.
	OnProblem func(error)
	// OnQuarantine is told how many records have just been put into the quarantine. It must be safe for
	// concurrent use. May be nil.
	OnQuarantine func(n int)
	// Jitter returns numbers in [0, 1) that spread retries. It must be safe for concurrent use. Default: random.
	Jitter func() float64
}

// Deliverer delivers to one consumer. It is safe for concurrent use.
type Deliverer struct {
	set      Settings
	mutates  bool
	accepted atomic.Int64 // records taken by the consumer, over all calls
	loners   loners
	health   health
	calls    *calls
}

// New returns a Deliverer.
func New(set Settings) *Deliverer {
	if set.OnProblem == nil {
		set.OnProblem = func(error) {}
	}
	if set.OnQuarantine == nil {
		set.OnQuarantine = func(int) {}
	}
	if set.Source == "" {
		set.Source = set.ID.String()
	}
	if set.Jitter == nil {
		set.Jitter = rand.Float64
	}
	watched := &calls{logger: set.Logger, onProblem: set.OnProblem}
	return &Deliverer{
		set:     set,
		mutates: set.Next.Capabilities().MutatesData,
		health:  health{logger: set.Logger, onProblem: watched.refusal},
		calls:   watched,
	}
}

// Deliver returns nil if and only if every record was accepted or quarantined. It blocks while the consumer refuses them.
// Within one call a record is never offered again once it was accepted.
//
// Otherwise it returns the error of ctx when that ends, ErrRefusedAlone or ErrGaveUp; then all records count as undelivered.
// The caller must not change logs during or after the call, as the consumer may still hold them.
func (d *Deliverer) Deliver(ctx context.Context, logs plog.Logs) error {
	_, err := d.DeliverCounting(ctx, logs)
	return err
}

// DeliverCounting is Deliver, and says how many of the records are in the quarantine instead of with the consumer.
func (d *Deliverer) DeliverCounting(ctx context.Context, logs plog.Logs) (quarantined int, err error) {
	total := logs.LogRecordCount()
	if total == 0 {
		return 0, nil
	}
	b := &batch{
		Deliverer: d,
		pending:   logs,
		total:     total,
		started:   time.Now(),
		backoff:   backoff{cfg: d.set.Retry, jitter: d.set.Jitter},
		patience:  refusalsBeforeBisect,
	}
	if total == 1 {
		if _, known := d.loners.recall(logs); known {
			b.patience = refusalsReturned
		}
	}
	opCtx := ctx
	if d.set.ObsReport != nil {
		opCtx = d.set.ObsReport.StartLogsOp(ctx)
	}
	err = b.deliver(opCtx)
	if err == nil {
		d.loners.forget(logs)
	}
	d.health.ended(b, err)
	b.observe(ctx, opCtx, err)
	return b.quarantined, err
}

// batch is the state of one Deliver call.
type batch struct {
	*Deliverer

	pending     plog.Logs // neither accepted nor quarantined; never changed in place
	total       int       // records at the start
	quarantined int
	started     time.Time
	backoff     backoff
	failing     bool  // owned by health
	last        error // the last refusal

	// What is known about pending, see poison.go.
	refused  int   // permanent refusals in a row
	patience int   // refusals in a row after which pending is examined
	accused  bool  // each record of pending was refused alone while others of this call were accepted
	mark     int64 // Deliverer.accepted at the last permanent refusal
	alive    bool  // something was accepted between the last two permanent refusals
}

func (b *batch) deliver(ctx context.Context) error {
	for {
		out := b.offer(ctx, b.pending)
		b.pending = out.rest
		if out.err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return b.interrupted(ctx)
		}
		b.note(out)
		b.health.failed(b, out.err)
		if !b.set.Retry.Enabled {
			return b.gaveUp()
		}
		if b.refused >= b.patience {
			if err := b.examine(ctx); err != nil || b.left() == 0 {
				return err
			}
		}
		if err := b.wait(ctx); err != nil {
			return err
		}
	}
}

func (b *batch) left() int {
	return b.pending.LogRecordCount()
}

// note draws from a failed offer of everything pending what examine will need.
func (b *batch) note(out outcome) {
	if out.accepted > 0 {
		b.backoff.reset()
	}
	if !out.permanent {
		b.refused = 0
		return
	}
	accepted := b.accepted.Load()
	b.alive = b.refused > 0 && accepted > b.mark
	b.mark = accepted
	b.refused++
}

func (b *batch) wait(ctx context.Context) error {
	pause := b.backoff.next()
	if limit := b.set.Retry.MaxElapsedTime; limit > 0 && time.Since(b.started)+pause > limit {
		return b.gaveUp()
	}
	b.health.waiting(b, pause)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return b.interrupted(ctx)
	}
}

func (b *batch) interrupted(ctx context.Context) error {
	return fmt.Errorf("delivery of %d log records was interrupted: %w", b.left(), ctx.Err())
}

func (b *batch) gaveUp() error {
	return fmt.Errorf("%w %d log records after %s: %w", ErrGaveUp, b.left(), time.Since(b.started).Round(time.Millisecond), b.last)
}

// observe reports the final outcome.
func (b *batch) observe(ctx, opCtx context.Context, err error) {
	obs := b.set.ObsReport
	if obs == nil {
		return
	}
	refused := b.quarantined + b.left()
	accepted := b.total - refused
	if refused == 0 {
		obs.EndLogsOp(opCtx, b.set.Format, accepted, nil)
		return
	}
	if accepted > 0 {
		obs.EndLogsOp(opCtx, b.set.Format, accepted, nil)
		opCtx = obs.StartLogsOp(ctx)
	}
	if err == nil {
		err = b.last
	}
	obs.EndLogsOp(opCtx, b.set.Format, refused, err)
}
