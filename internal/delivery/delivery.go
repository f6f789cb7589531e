// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package delivery hands log records to the next consumer until it is proven that each of them was accepted, or that it alone
// is refused, over and over, while others are accepted; then its original goes into the quarantine.
//
// Every error of ConsumeLogs means "not delivered". That an error calls itself permanent changes the pace and what is
// tried next, and never causes a drop: a backend with revoked credentials answers everything with permanent errors.
package delivery

import (
	"context"
	"errors"
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
	// ErrRefusedAlone says that what is left of a call is refused while others are accepted, or that there was nothing to
	// compare it with for long. The caller should give others their turn and come back with what is left: only
	// then can be told whether it is poison or the backend is down. It is not lost, and counts as undelivered.
	ErrRefusedAlone = errors.New("log records are refused, and others get their turn before they are offered again")
	// ErrGaveUp says that retrying is disabled or has lasted for max_elapsed_time, and that nothing was accepted.
	ErrGaveUp = errors.New("gave up delivering")
)

// Settings configure a Deliverer. Fields without a remark are required.
type Settings struct {
	ID     component.ID // the receiver
	Source string       // named as the source of quarantined records; default: ID
	Next   consumer.Logs
	Retry  configretry.BackOffConfig // endless if MaxElapsedTime is 0; if disabled, a call does not wait
	Logger *zap.Logger

	// ObsReport counts accepted and refused records by their final outcome: one operation for each Deliver call, however
	// often it retries, and a second one if some of its records were accepted and others not. Quarantined records
	// count as refused, and those left with ErrRefusedAlone not yet. May be nil.
	ObsReport *receiverhelper.ObsReport
	Format    string // of the records, for ObsReport

	// Quarantine takes the records that are refused for good. Without it, or while it is full, they are retried for ever.
	Quarantine *quarantine.Store

	// Grace is how long a call of the consumer may go on after the context of Deliver has ended. Default 0: it is cut off.
	Grace time.Duration

	// Crowded reports whether something waits for what a Deliver call holds on to. If it does, a call that leads nowhere
	// gives back sooner. May be nil: never.
	Crowded func() bool
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
	suspects suspects
	portions portions
	patience patience
	health   health
	calls    *calls
}

// New returns a Deliverer.
func New(set Settings) *Deliverer {
	if set.Crowded == nil {
		set.Crowded = func() bool { return false }
	}
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

// Outcome says what has become of the records of a call.
type Outcome struct {
	Quarantined int       // records that are in the quarantine instead of with the consumer
	Left        plog.Logs // originals of those that are in neither; to be delivered later
}

// Deliver returns nil if and only if every record was accepted or quarantined. While the consumer refuses them it blocks, for
// minutes up to an hour. Within one call a record is never offered again once it was accepted.
//
// Otherwise it returns the error of ctx when that ends, ErrRefusedAlone or ErrGaveUp. The caller must not change logs during
// or after the call, as the consumer may still hold them.
func (d *Deliverer) Deliver(ctx context.Context, logs plog.Logs) error {
	_, err := d.DeliverOutcome(ctx, logs)
	return err
}

// DeliverOutcome is Deliver, and says what has become of the records, so that of a call with an error only what is left needs
// to be delivered again.
func (d *Deliverer) DeliverOutcome(ctx context.Context, logs plog.Logs) (Outcome, error) {
	total := logs.LogRecordCount()
	if total == 0 {
		return Outcome{Left: plog.NewLogs()}, nil
	}
	b := &batch{
		Deliverer: d,
		total:     total,
		started:   time.Now(),
		backoff:   backoff{cfg: d.set.Retry, jitter: d.set.Jitter},
	}
	accepted := d.accepted.Load()
	b.backoff.interval, b.fruitless = d.patience.begin(accepted)
	b.pending, b.known, b.began = d.suspects.separate(logs, accepted)
	opCtx := ctx
	if d.set.ObsReport != nil {
		opCtx = d.set.ObsReport.StartLogsOp(ctx)
	}
	err := b.deliver(opCtx)
	out := Outcome{Quarantined: b.quarantined, Left: b.left()}
	d.health.ended(b, err, d.suspects.held())
	b.observe(ctx, opCtx, out, err)
	return out, err
}

// observe reports the outcome. What comes back has none yet.
func (b *batch) observe(ctx, opCtx context.Context, out Outcome, err error) {
	obs := b.set.ObsReport
	if obs == nil {
		return
	}
	left := out.Left.LogRecordCount()
	accepted := b.total - out.Quarantined - left
	refused := out.Quarantined
	if !errors.Is(err, ErrRefusedAlone) {
		refused += left
	}
	if accepted > 0 {
		obs.EndLogsOp(opCtx, b.set.Format, accepted, nil)
		if refused == 0 {
			return
		}
		opCtx = obs.StartLogsOp(ctx)
	}
	if err == nil {
		err = b.last
	}
	obs.EndLogsOp(opCtx, b.set.Format, refused, err)
}
