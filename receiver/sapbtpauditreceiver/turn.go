// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// errSuspended ends the reading of a window whose turn is over. The window goes on with its next page in the next turn.
var errSuspended = errors.New("the turn is over")

// misplanned is by how many seconds the source's clock has to be behind the one that a turn was planned by.
const misplanned = 60

// turn is one poll's share of reading: windows newest first, until what is due is read, the budget is spent, or the next poll
// is due.
type turn struct {
	s     *subaccount
	bound int64

	mu      sync.Mutex
	agenda  sweep.Set
	budget  int
	begun   bool  // a window was begun
	expired bool  // the turn is over although windows of it are still being read
	failed  error // the first error that is not one window's alone
}

// run reads windows in parallel. More than one reader is started only while there is more than one window. A window whose
// answer is slow does not hold up the next turn; it is then settled on its own.
func (t *turn) run(ctx context.Context, until time.Duration) error {
	var readers sync.WaitGroup
	for range t.s.free() {
		w := t.next()
		if w == nil {
			break
		}
		readers.Add(1)
		t.s.background.Go(func() {
			defer readers.Done()
			for ; w != nil; w = t.next() {
				t.settle(w, t.read(ctx, w))
			}
		})
	}
	ended := make(chan struct{})
	t.s.background.Go(func() {
		readers.Wait()
		close(ended)
	})
	timer := time.NewTimer(max(until, time.Second))
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expired = true
	return t.failed
}

// next is the window to read next: what has just happened, then what was interrupted by the end of a turn, then the newest
// that is due. What SAP is about to delete comes before everything.
func (t *turn) next() *window {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over() {
		return nil
	}
	w := t.pick()
	if w != nil {
		t.begun = true
		t.s.begun(w)
	}
	return w
}

func (t *turn) pick() *window {
	oldest, newest := sweep.Span{From: t.bound, To: t.bound}, sweep.Span{}
	if n := len(t.agenda); n > 0 {
		oldest, newest = t.agenda[0], t.agenda[n-1]
	}
	if w := t.s.resume(func(w *window) bool { return expiring(w.span, t.bound) }); w != nil {
		return w
	}
	if newest.To < t.bound && !expiring(oldest, t.bound) {
		if w := t.s.resume(anyWindow); w != nil {
			return w
		}
	}
	if w := t.s.takeAside(newest.To, t.bound); w != nil {
		return w
	}
	take := t.agenda.TakeNewest
	if expiring(oldest, t.bound) {
		take = t.agenda.TakeOldest
	}
	if span, ok := take(t.s.size.window()); ok {
		return t.s.newWindow(span, t.bound)
	}
	return t.s.resume(anyWindow)
}

// read takes the window's pages one after the other: fetch, deliver, checkpoint; the next page is fetched while one is
// delivered.
func (t *turn) read(ctx context.Context, w *window) error {
	if w.view == nil {
		view, err := t.s.seen.Pin(ctx, w.span)
		if err != nil {
			return err
		}
		w.view = view
	}
	for {
		p, trouble := w.read(ctx, t.s)
		if p == nil {
			return trouble
		}
		last := t.spend(len(p.records))
		// Of several windows one is fetched while another is delivered; a page ahead of each would only cost memory.
		if trouble == nil && !w.done() && !last && t.s.alone() {
			w.readAhead(ctx, t.s)
		}
		var end ending
		if trouble == nil && w.done() {
			end = t.s.judge(w)
		}
		err := t.s.deliverPage(ctx, w, p, end.proven)
		p.lease.free()
		if err != nil {
			return err
		}
		switch {
		case trouble != nil:
			return trouble
		case w.done() && end.doubt == "":
			t.s.leave(end.again)
			return nil
		case w.done():
			return &anomaly{reason: end.doubt, again: end.again}
		case w.pages >= maxWindowPages && w.span.Len() > 1:
			return &anomaly{reason: reasonLarge}
		case last:
			return errSuspended
		}
	}
}

// settle decides what becomes of a window.
func (t *turn) settle(w *window, err error) {
	t.s.ended(w)
	if t.isExpired() {
		defer t.s.wake()
	}
	trouble, faulty := errors.AsType[*anomaly](err)
	switch {
	case err == nil:
		t.s.closed(w)
	case errors.Is(err, errSuspended):
		t.s.suspend(w)
		return
	case faulty || t.alone(w, err):
		if !faulty {
			trouble = &anomaly{reason: reasonServer, err: err}
		}
		if !t.s.setAside(w, trouble) || t.s.sick() {
			t.fail(err)
		}
	default:
		if w.again {
			t.s.putBack(w)
		}
		t.fail(err)
	}
	w.close(t.s)
}

// alone reports whether the failure is likely to be this window's alone: an answer that the server could not give, or not in
// time, although it has answered for other windows since the last such failure. A window that was set aside before stays so.
func (t *turn) alone(w *window, err error) bool {
	switch httpcall.KindOf(err) {
	case httpcall.KindTimeout, httpcall.KindServer, httpcall.KindNotImplemented, httpcall.KindBrokenBody, httpcall.KindClient:
	default:
		return false
	}
	return !errors.Is(err, auditlog.ErrToken) && (t.s.othersRead() || w.again)
}

func (t *turn) isExpired() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.expired
}

// spend takes n records off the budget and reports whether the turn is over.
func (t *turn) spend(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.budget -= n
	return t.over()
}

// fail ends the turn with an error that is not one window's alone. What fails after the turn ends the next one.
func (t *turn) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.expired:
		t.s.failLate(err)
	case t.failed == nil:
		t.failed = err
	}
}

func (t *turn) over() bool { return t.budget <= 0 || t.expired || t.failed != nil }

// more reports whether the next turn may follow at once: there is something left to read, and somebody free to read it, or the
// answers have shown that this turn asked for what is still to come instead of what was due.
func (t *turn) more() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.begun && (len(t.agenda) > 0 || t.s.interrupted() || t.s.clock.now() < t.bound-misplanned)
}
