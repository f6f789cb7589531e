// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"math/bits"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

const (
	// largeParts is in how many parts a window of too many pages is cut.
	largeParts = 8
	// maxAside bounds the windows that are set aside; beyond it a failure is one of the whole subaccount.
	maxAside = 256
	// maxAnomalies is how many windows in a row may be unreadable before it is the server that is sick and not the window.
	maxAnomalies = 8
	// patience is how often a single second is read again, while others are readable, before what can be had of it is taken
	// and the rest is announced as a gap.
	patience     = 3
	maxAsideWait = 5 * time.Minute
)

// aside is a window that could not be read for a reason of its own. It waits while the others go on, so that one bad
// second never stops the stream.
type aside struct {
	span      sweep.Span
	tries     int  // in a row without success
	refused   bool // the last of them because of the backend, which says so itself
	salvage   bool
	empties   int  // answers without records in a row, looked at again
	cuts      int  // ends in a row that may be none, looked at again
	most      int  // records of the longest of these
	again     bool // it was set aside before, whole or as part of another one
	filled    int  // windows with records that were read to their end when it was first set aside
	notBefore time.Time
}

// setAside puts the window back, cut in parts where that helps to get round what is wrong with it. It reports false when it
// does not, because nothing can be read any more; then the window stays due.
func (s *subaccount) setAside(w *window, trouble *anomaly) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := w.aside
	next.span, next.notBefore = w.span, time.Now()
	newer, older, divisible := w.span.Halves()
	divisible = divisible && len(s.asides) < maxAside
	halves := []sweep.Span{newer, older}
	switch trouble.reason {
	case reasonCategories:
		s.putAside(next, w.span)
	case reasonLarge:
		s.divide(next, cut(w.span, largeParts)...)
	case reasonFullLast, reasonEmptyLast:
		s.notices.add(trouble.reason)
		if divisible && trouble.reason == reasonFullLast {
			s.divide(next, halves...)
			break
		}
		next.cuts++
		next.most = max(next.most, w.records)
		next.notBefore = time.Now().Add(asideWait(next.cuts))
		s.putAside(next, w.span)
	case reasonEmpty:
		next.empties++
		if !expiring(w.span, w.bound) { // what SAP deletes next cannot wait
			next.notBefore = time.Now().Add(time.Duration(w.empties) * s.cfg.PollInterval)
		}
		s.putAside(next, trouble.again...)
	case reasonRefused:
		if !w.again {
			s.refusals++
		}
		if !w.again && (s.refusals > maxAnomalies || len(s.asides) >= maxAside) {
			return false
		}
		s.setAsideRefused(next, divisible, halves)
	default:
		s.anomalies++
		sick := s.anomalies > maxAnomalies || len(s.asides) >= maxAside
		if sick && !w.again {
			return false
		}
		s.setAsideFaulty(next, trouble, divisible && !sick, halves)
	}
	s.tel.restarted(trouble.reason)
	return true
}

// setAsideFaulty puts back a window with something wrong in it. The first time the whole is read again, since most faults
// pass, unless it cost a timeout; then it is cut until the fault is alone in a second.
func (s *subaccount) setAsideFaulty(next aside, trouble *anomaly, divisible bool, halves []sweep.Span) {
	if next.tries == 0 {
		next.filled = s.filledWindows
	}
	next.tries++
	next.refused = false
	next.notBefore = time.Now().Add(asideWait(next.tries))
	// Told when it is new and then ever more rarely.
	if bits.OnesCount(uint(next.tries)) == 1 {
		s.logger.Warn("A window of the audit log cannot be read and is set aside; the others go on", append(labels(s),
			zap.String("reason", trouble.reason), zap.Error(trouble.err),
			zap.Time("from", next.span.Start()), zap.Time("to", next.span.End()),
			zap.Int("tries", next.tries), zap.Time("again_at", next.notBefore))...)
	}
	if divisible && (next.tries > 1 || httpcall.KindOf(trouble.err) == httpcall.KindTimeout) {
		next.tries, next.notBefore = 0, time.Now()
		s.divide(next, halves...)
		return
	}
	// Only what stays unreadable while others are read is written off, and only a second of it.
	next.salvage = next.span.Len() == 1 && next.tries > patience && s.filledWindows-next.filled > patience &&
		(trouble.reason == reasonMalformed || trouble.reason == reasonTooLarge)
	s.putAside(next, next.span)
}

// setAsideRefused puts back a window of which the backend refuses something. If it does so again the window is cut, until
// little has to be read again each time. The log says it where records are delivered.
func (s *subaccount) setAsideRefused(next aside, divisible bool, halves []sweep.Span) {
	next.tries++
	next.refused = true
	if divisible && next.tries > 1 {
		next.tries = 0
		s.divide(next, halves...)
		return
	}
	next.notBefore = time.Now().Add(delivery.Again(next.tries))
	s.putAside(next, next.span)
}

// accepts notes that the backend takes something.
func (s *subaccount) accepts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = 0
}

// divide puts the parts of a window aside. What its answers looked like as a whole says nothing about a part.
func (s *subaccount) divide(a aside, parts ...sweep.Span) {
	a.empties, a.cuts, a.most = 0, 0, 0
	s.putAside(a, parts...)
}

// putAside adds spans that share a fate.
func (s *subaccount) putAside(a aside, spans ...sweep.Span) {
	for _, span := range spans {
		a.span, a.again = span, true
		s.asides = append(s.asides, a)
	}
}

// sick reports whether so many windows in a row were faulty that it is the server.
func (s *subaccount) sick() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.anomalies > maxAnomalies
}

// putBack returns a window that was set aside and that a failure of the whole subaccount has kept from being read.
func (s *subaccount) putBack(w *window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	back := w.aside
	back.notBefore = time.Now().Add(s.cfg.PollInterval)
	s.putAside(back, w.span)
}

// cut divides a span into at most n parts of whole seconds, newest first.
func cut(span sweep.Span, n int64) (parts []sweep.Span) {
	step := (span.Len() + n - 1) / n
	rest := sweep.Set{span}
	for part, ok := rest.TakeNewest(step); ok; part, ok = rest.TakeNewest(step) {
		parts = append(parts, part)
	}
	return parts
}

// asideWait grows with the failures of one window.
func asideWait(tries int) time.Duration {
	if tries <= 1 {
		return 0
	}
	return min(maxAsideWait, time.Second<<min(tries-2, 20))
}

// takeAside returns a window that was set aside, is ready, and is not older than what else is due, whose newest end is
// given; what is about to expire comes before everything. It returns nil when there is none.
func (s *subaccount) takeAside(newest, bound int64) *window {
	s.mu.Lock()
	defer s.mu.Unlock()
	best, bestTo := -1, newest
	for i, a := range s.asides {
		to := a.span.To
		if expiring(a.span, bound) {
			to = bound + 1
		}
		if time.Until(a.notBefore) > 0 || to <= newest {
			continue
		}
		// After a failure the other end's turn comes, so that a bad second at one end does not hide that the rest is fine.
		if best < 0 || (s.anomalies%2 == 0) == (to > bestTo) {
			best, bestTo = i, to
		}
	}
	if best < 0 {
		return nil
	}
	a := s.asides[best]
	s.asides = append(s.asides[:best], s.asides[best+1:]...)
	w := s.newWindow(a.span, bound)
	w.aside = a
	return w
}

// giveUpAsides forgets what was set aside of the time before limit.
func (s *subaccount) giveUpAsides(limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.asides {
		s.asides[i].span.From = max(s.asides[i].span.From, limit)
	}
	s.asides = slices.DeleteFunc(s.asides, func(a aside) bool { return a.span.Empty() })
}

// waiting tells when the next window that was set aside is ready, if there is one.
func (s *subaccount) waiting() (until time.Time, waits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asides {
		if !waits || a.notBefore.Before(until) {
			until, waits = a.notBefore, true
		}
	}
	return until, waits
}
