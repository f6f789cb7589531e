// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// expiring reports whether SAP will delete the oldest part of span within a day.
func expiring(span sweep.Span, bound int64) bool {
	return span.From < bound-int64((retention-24*time.Hour)/time.Second)
}

func (s *subaccount) newWindow(span sweep.Span, bound int64) *window {
	return &window{
		aside: aside{span: span}, bound: bound, current: span.To >= bound,
		handles: map[string]struct{}{}, served: map[record.Key]struct{}{},
	}
}

// begun notes that the window is being read.
func (s *subaccount) begun(w *window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active[w] = struct{}{}
}

// ended notes that the window is not being read any more.
func (s *subaccount) ended(w *window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, w)
}

// free is how many windows may be begun: as many as are read in parallel less those of earlier turns whose answers are slow,
// but one, for what is new, unless that is slow too.
func (s *subaccount) free() int {
	readers := s.readers()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.active) > readers {
		return 0
	}
	return max(1, readers-len(s.active))
}

// alone reports whether one window only is being read.
func (s *subaccount) alone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.active) == 1
}

// closed learns from a window that was read to its end.
func (s *subaccount) closed(w *window) {
	s.size.closed(w.span.Len(), w.records)
	if w.lastFull {
		s.logger.Warn("The last page of a second is full, twice with the same number of records; if the API lost its place, more are missing",
			append(labels(s), zap.Time("second", w.span.Start()), zap.Int("records", w.records))...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closedWindows++
	// An answer without records says little about a server that spoils records.
	if w.records > 0 {
		s.anomalies = 0
		s.filledWindows++
	}
}

// othersRead reports whether a window was read to its end since it was last asked.
func (s *subaccount) othersRead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	others := s.closedWindows > s.closedAtFailure
	s.closedAtFailure = s.closedWindows
	return others
}

func (s *subaccount) suspend(w *window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspended = append(s.suspended, w)
}

// resume takes the first suspended window that is wanted.
func (s *subaccount) resume(wanted func(*window) bool) *window {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.suspended, wanted)
	if i < 0 {
		return nil
	}
	w := s.suspended[i]
	s.suspended = slices.Delete(s.suspended, i, i+1)
	return w
}

func anyWindow(*window) bool { return true }

// interrupted reports whether windows wait for the next turn, which then follows at once.
func (s *subaccount) interrupted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.suspended) > 0
}

// reserved is what windows that were begun or set aside will read, so that it is neither planned twice nor given up.
func (s *subaccount) reserved() (out sweep.Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asides {
		out = out.Add(a.span)
	}
	for _, w := range s.suspended {
		out = out.Add(w.span)
	}
	for w := range s.active {
		out = out.Add(w.span)
	}
	return out
}
