// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/status"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/seen"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// After a failure that is not one window's alone the next poll comes after pauses that double up to the poll interval,
// but not below and not above these.
const (
	firstFailurePause = time.Second
	minFailureCap     = 5 * time.Second
	maxFailureCap     = 5 * time.Minute
)

// pager is the audit log retrieval API as far as reading needs it.
type pager interface {
	Page(ctx context.Context, q auditlog.Query) (*auditlog.Page, error)
}

// subaccount reads the audit log of one subaccount. Everything that is learned, counted or waited for belongs to it, so
// that one subaccount never delays or disturbs another.
type subaccount struct {
	id        string // of the state and in telemetry: the tenant, or the token host where the tenant is not known
	cfg       *Config
	clients   *clients
	pages     gate       // shared by all subaccounts, see lease
	readers   func() int // windows to read in parallel
	recheck   func()     // looks for replaced credentials
	names     *names
	rate      float64 // requests per second
	pace      *pacer
	clock     sourceClock
	size      *sizing
	mapper    *record.Mapper
	deliverer *delivery.Deliverer
	status    *status.Scope
	tel       *telemetry
	logger    *zap.Logger
	notices   *notices
	store     progressStore
	seen      *seen.Set

	filterHere atomic.Bool                    // the API does not filter by category, so the receiver does
	legacies   atomic.Pointer[[]string]       // where its keys have left time unread, see inherit; nil if nowhere
	tenant     atomic.Pointer[string]         // id of the subaccount; nil while no carrier and no token has said it
	answers    atomic.Int64                   // successful answers of the API
	newest     atomic.Int64                   // time of the newest delivered event, Unix seconds
	published  atomic.Pointer[sweep.Progress] // progress for telemetry, which must not wait for a delivery
	connection atomic.Pointer[connection]
	background sync.WaitGroup // readers and fetches ahead of delivery
	delivering gate           // passed while a page is delivered and checkpointed; guards progress, store and unsaved
	progress   sweep.Progress
	announcing atomic.Bool  // records of holes are being delivered
	unsaved    string       // why the checkpoint could not be saved; empty if it could
	proven     atomic.Int64 // the latest source time that a Date has proven, Unix seconds; 0 if none has
	unsettled  atomic.Bool  // the progress begins where the local clock alone says
	gapUntil   atomic.Int64 // until when the status shows a gap, Unix seconds; 0 if it shows none

	mu              sync.Mutex
	suspended       []*window
	asides          []aside
	emptyBefore     sweep.Set            // had no records when it was to be read for the last time, and is still due
	active          map[*window]struct{} // being read
	anomalies       int                  // faulty windows since one with records was read to its end
	refusals        int                  // windows that the backend made give way since it accepted anything
	closedWindows   int                  // windows read to their end
	filledWindows   int                  // those with records
	closedAtFailure int                  // closedWindows when a window last failed
	late            error                // of a window that outlived its turn
	held            bool                 // the status says that the API wants to be left alone for long

	cancel context.CancelFunc // ends run
	left   chan struct{}      // closed when run has ended
	wakeup chan struct{}      // makes the next poll come at once; holds one

	leaving bool // its keys are gone and what is under way ends; owned by follow

	restored   time.Time // when the progress was loaded
	restoredAt int64     // what the local clock showed then, or at a first start before it if that was later, Unix seconds

	// owned by run
	hurried          int  // polls that came early because clocks contradict each other
	clockWrong       bool // the local clock differs from the server's, and that was told
	nextTick         time.Time
	failures         int
	failedAt         time.Time
	lastError        string
	answersAtFailure int64 // what answers was when reading last failed; -1 if it works
	milestone        milestone
	forgotten        seen.Stats // what was told of
	evicting         bool       // ids were given up since the poll before
	expiryProblem    string     // what the status says of the credentials' end
}

// pollEvery is the time from the start of a poll to the start of the next one. Asking and delivering take time too: a tenth of
// the interval is left for them, so that an event that appears just after a poll is still delivered within the interval.
func pollEvery(cfg *Config) time.Duration { return cfg.PollInterval - cfg.PollInterval/10 }

// due is what this poll reads, without what is already spoken for.
func (s *subaccount) due(bound int64) sweep.Set {
	tick := !time.Now().Before(s.nextTick)
	if tick {
		s.nextTick = time.Now().Add(s.untilTick())
	}
	reserved := s.reserved()
	if _, trust := s.clock.source(); trust != undated {
		// What SAP no longer keeps would read as empty; it is for announceExpired. The local clock alone gives nothing up.
		reserved = reserved.Add(sweep.Span{To: retained(bound)})
	}
	due := s.published.Load().Due(sweep.Plan{
		Bound:    bound,
		Poll:     max(1, int64(pollEvery(s.cfg)/time.Second)),
		Tick:     tick,
		Rate:     s.size.density(),
		Reserved: reserved,
	})
	if span, needed := s.probe(bound); needed && tick {
		due = due.Add(span)
	}
	return due
}

// failed notes a failure of the subaccount as a whole and says when to try again.
func (s *subaccount) failed(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	if s.failures == 0 {
		s.failedAt = time.Now()
	}
	s.failures++
	s.answersAtFailure = s.answers.Load()
	limit := min(maxFailureCap, max(minFailureCap, s.cfg.PollInterval))
	pause := max(jittered(min(limit, firstFailurePause<<min(s.failures-1, 20))), s.pace.pause())
	s.status.Set(s.cause("reading"), err)
	// A failure that goes on is one line, until it changes.
	if text := kindOf(err); text != s.lastError {
		s.lastError = text
		s.logger.Warn("Reading the audit log failed; trying again, nothing is skipped",
			append(labels(s), zap.Error(err), zap.Stringer("again_in", pause.Round(time.Millisecond)))...)
	}
	return pause
}

// failLate notes an error of a window that outlived its turn.
func (s *subaccount) failLate(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = err
}

// lateFailure returns the error that was noted since it was last asked.
func (s *subaccount) lateFailure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.late
	s.late = nil
	return err
}

// kindOf is what two errors have in common that say the same.
func kindOf(err error) string {
	if trouble, ok := errors.AsType[*anomaly](err); ok {
		return trouble.reason
	}
	return err.Error()
}

// succeeded ends a failure, if the API was asked at all.
func (s *subaccount) succeeded() {
	if answers := s.answers.Load(); answers == s.answersAtFailure {
		return
	}
	if s.failures > 0 {
		s.logger.Info("Reading the audit log works again", append(labels(s), zap.Stringer("after", time.Since(s.failedAt).Round(time.Millisecond)))...)
	}
	s.failures, s.lastError, s.answersAtFailure = 0, "", -1
	s.status.Set(s.cause("reading"), s.stuck())
}

// stuck tells of windows that stay unreadable while others are read.
func (s *subaccount) stuck() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asides {
		if a.tries > patience && !a.refused {
			return errStuck
		}
	}
	return nil
}

var (
	errQuarantine = errors.New("the backend refuses some events for good; they are kept in the quarantine of the storage")
	errStuck      = errors.New("part of the audit log cannot be read and is tried again; see the log for the time range")
	errGap        = errors.New("part of the audit log cannot be read any more; a gap record in the stream announces it")
	errCheckpoint = errors.New("saving the checkpoint fails; reading waits until the storage works")
)

// untilNext is the pause when all that is due is read.
func (s *subaccount) untilNext() time.Duration {
	next := s.nextTick
	if s.free() == 0 { // the end of a window wakes
		return max(0, time.Until(next))
	}
	if ready, waits := s.waiting(); waits && ready.Before(next) {
		next = ready
	}
	return max(0, time.Until(next))
}

// checkCredentials asks for a token, so that wrong credentials show at the start and not at the first poll that has
// something to read.
func (s *subaccount) checkCredentials(ctx context.Context) {
	rotation := s.connection.Load().rotation
	if rotation == nil {
		return
	}
	if err := rotation.check(ctx); err != nil && ctx.Err() == nil {
		_ = s.failed(ctx, err)
	}
}

// setProgress makes p the truth; delivering is held, or nothing is being read.
func (s *subaccount) setProgress(p sweep.Progress) {
	s.progress = p
	s.published.Store(&p)
}

func (s *subaccount) ownReading(raw *record.Raw) bool {
	return slices.ContainsFunc(s.connection.Load().clientIDs, func(id string) bool { return record.OwnReading(raw, id) })
}

// wake makes the next poll come at once, because what made the last one fail may be mended.
func (s *subaccount) wake() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}

// rest waits until the next poll is due.
func (s *subaccount) rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.wakeup:
	case <-timer.C:
	}
	return nil
}

// forget takes what the subaccount has to complain about out of the component's status.
func (s *subaccount) forget() {
	for _, what := range []string{"reading", "throttled", "checkpoint", "delivery", "quarantine", "gap", "certificate", "clock"} {
		s.status.Set(s.cause(what), nil)
	}
}

// cause names a problem of this subaccount in the component's status.
func (s *subaccount) cause(what string) string { return what + " " + s.id }

func labels(s *subaccount) []zap.Field { return []zap.Field{zap.String("subaccount", s.id)} }
