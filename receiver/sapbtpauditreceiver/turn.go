// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// errSuspended ends the reading of a window whose turn is over. The window goes on with its next page in the next turn.
var errSuspended = errors.New("the turn is over")

// turn is one poll's share of reading: windows newest first, until what is due is read or the budget is spent.
type turn struct {
	s     *subaccount
	bound int64

	mu     sync.Mutex
	agenda sweep.Set
	budget int
	failed error // the first error that is not one window's alone
}

// run reads windows in parallel. More than one reader is started only while there is more than one window.
func (t *turn) run(ctx context.Context) error {
	var readers sync.WaitGroup
	for range t.s.readers() {
		w := t.next()
		if w == nil {
			break
		}
		readers.Go(func() {
			for ; w != nil; w = t.next() {
				t.settle(w, t.read(ctx, w))
			}
		})
	}
	readers.Wait()
	return t.failed
}

// next is the window to read next: one that was interrupted by the end of a turn, else what SAP is about to delete, else the
// newest that is due.
func (t *turn) next() *window {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over() {
		return nil
	}
	if w := t.s.resume(); w != nil {
		return w
	}
	newest := int64(0)
	if len(t.agenda) > 0 {
		newest = t.agenda[len(t.agenda)-1].To
	}
	if w := t.s.takeAside(newest, t.bound); w != nil {
		return w
	}
	take := t.agenda.TakeNewest
	if len(t.agenda) > 0 && expiring(t.agenda[0], t.bound) {
		take = t.agenda.TakeOldest
	}
	span, ok := take(t.s.size.window())
	if !ok {
		return nil
	}
	return t.s.newWindow(span, t.bound)
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
		if trouble == nil && !w.done() && !last {
			w.readAhead(ctx, t.s)
		}
		doubt := w.doubt()
		closes := trouble == nil && w.done() && doubt == ""
		err := t.s.deliverPage(ctx, w, p, closes)
		p.lease.free()
		if err != nil {
			return err
		}
		switch {
		case trouble != nil:
			return trouble
		case closes:
			return nil
		case w.done():
			return &anomaly{reason: doubt}
		case w.pages >= maxWindowPages && w.span.Len() > 1:
			return &anomaly{reason: reasonLarge}
		case last:
			return errSuspended
		}
	}
}

// settle decides what becomes of a window that was not read to its end.
func (t *turn) settle(w *window, err error) {
	var trouble *anomaly
	switch {
	case err == nil:
		t.s.closed(w)
	case errors.Is(err, errSuspended):
		t.s.suspend(w)
		return
	case errors.As(err, &trouble):
		t.s.setAside(w, trouble)
	default:
		t.fail(err)
	}
	w.close(t.s)
}

// spend takes n records off the budget and reports whether the turn is over.
func (t *turn) spend(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.budget -= n
	return t.over()
}

func (t *turn) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = err
	}
}

func (t *turn) over() bool { return t.budget <= 0 || t.failed != nil }

// expiring reports whether SAP will delete the oldest part of span within a day.
func expiring(span sweep.Span, bound int64) bool {
	return span.From < bound-int64((retention-24*time.Hour)/time.Second)
}

func (s *subaccount) newWindow(span sweep.Span, bound int64) *window {
	return &window{
		span: span, bound: bound, onlyReading: s.published.Load().OnlyReading(span, bound) && !expiring(span, bound),
		handles: map[string]struct{}{}, served: map[record.Key]struct{}{},
	}
}

func (s *subaccount) suspend(w *window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspended = append(s.suspended, w)
}

func (s *subaccount) resume() *window {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.suspended) == 0 {
		return nil
	}
	w := s.suspended[0]
	s.suspended = s.suspended[1:]
	return w
}

// closed learns from a window that was read to its end.
func (s *subaccount) closed(w *window) {
	s.size.closed(w.span.Len(), w.records)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anomalies = 0
}
