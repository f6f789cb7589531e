// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

const (
	// largeParts is in how many parts a window of too many pages is cut.
	largeParts = 8
	// maxAside bounds the windows that are set aside; beyond it they are read again whole.
	maxAside = 256
	// patience is how often a single second is read again before what can be had of it is taken and the rest is announced
	// as a gap.
	patience     = 3
	maxAsideWait = 5 * time.Minute
)

// aside is a window that could not be read for a reason of its own. It waits while the others go on, so that one bad
// second never stops the stream.
type aside struct {
	span      sweep.Span
	tries     int
	notBefore time.Time
	looks     int
	salvage   bool
}

// setAside puts the window back, cut in parts where that helps to get round what is wrong with it.
func (s *subaccount) setAside(w *window, trouble *anomaly) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tel.restarted(trouble.reason)
	next := aside{span: w.span, tries: w.tries + 1, notBefore: time.Now(), looks: w.looks, salvage: w.salvage}
	newer, older, divisible := w.span.Halves()
	divisible = divisible && len(s.asides) < maxAside
	switch trouble.reason {
	case reasonCategories:
	case reasonLarge:
		s.asides = append(s.asides, cut(next, largeParts)...)
		return
	case reasonFullLast:
		// A second cannot be cut; reading it twice with the same result is all that can be asked.
		if !divisible {
			next.looks++
		}
	case reasonEmpty:
		next.looks++
		next.notBefore = time.Now().Add(time.Duration(w.looks) * s.cfg.PollInterval)
		s.asides = append(s.asides, next)
		return
	default:
		s.anomalies++
		next.notBefore = time.Now().Add(asideWait(s.anomalies))
		s.logger.Warn("A window of the audit log cannot be read and is set aside; the others go on",
			zap.String("reason", trouble.reason), zap.Error(trouble.err),
			zap.Time("from", w.span.Start()), zap.Time("to", w.span.End()),
			zap.Int("tries", next.tries), zap.Time("again_at", next.notBefore))
		// The first time the whole is read again: most faults pass.
		divisible = divisible && next.tries > 1
		next.salvage = !divisible && next.tries > patience &&
			(trouble.reason == reasonMalformed || trouble.reason == reasonTooLarge)
	}
	if !divisible || trouble.reason == reasonCategories {
		s.asides = append(s.asides, next)
		return
	}
	next.tries = 0
	for _, half := range []sweep.Span{newer, older} {
		next.span = half
		s.asides = append(s.asides, next)
	}
}

// cut divides what is set aside into at most n parts of whole seconds.
func cut(a aside, n int64) []aside {
	step := (a.span.Len() + n - 1) / n
	a.tries = 0
	var parts []aside
	rest := sweep.Set{a.span}
	for span, ok := rest.TakeNewest(step); ok; span, ok = rest.TakeNewest(step) {
		a.span = span
		parts = append(parts, a)
	}
	return parts
}

// asideWait is how long a window waits: not at all at first, so that a bad second is found by halving without delay, and
// longer when nothing succeeds in between.
func asideWait(anomalies int) time.Duration {
	if anomalies <= 2 {
		return 0
	}
	return min(maxAsideWait, time.Second<<min(anomalies-3, 20))
}

// takeAside returns the newest window that was set aside, is ready, and ends after newest; nil when there is none.
func (s *subaccount) takeAside(newest, bound int64) *window {
	s.mu.Lock()
	defer s.mu.Unlock()
	best := -1
	for i, a := range s.asides {
		if time.Until(a.notBefore) <= 0 && a.span.To > newest {
			best, newest = i, a.span.To
		}
	}
	if best < 0 {
		return nil
	}
	a := s.asides[best]
	s.asides = append(s.asides[:best], s.asides[best+1:]...)
	w := s.newWindow(a.span, bound)
	w.tries, w.looks, w.salvage = a.tries, a.looks, a.salvage
	return w
}

// reserved is what suspended windows and windows set aside will read, so that it is not planned twice.
func (s *subaccount) reserved() (out sweep.Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asides {
		out = out.Add(a.span)
	}
	for _, w := range s.suspended {
		out = out.Add(w.span)
	}
	return out
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
