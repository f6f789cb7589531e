// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

const (
	// clockTolerance is by how many seconds progress may lie ahead: Dates are rounded, and clocks are corrected by a little.
	clockTolerance = 5
	// oneDate is how far back a first start follows the first Date alone, in seconds. What is further back may come out of a
	// cache, and has to last.
	oneDate = 24 * 60 * 60
	// askAgain is the pause between polls while Dates and the local clock contradict each other, and hurry is for how long.
	askAgain = 30 * time.Second
	hurry    = 10
)

// timeMarks are what is stored of clocks, beside the progress.
type timeMarks struct {
	// Proven is the latest source time that the Date of an answer has proven, in Unix seconds; 0 if none has.
	Proven int64 `json:"proven,omitempty"`
	// First is where a first start began by the local clock alone; nil once Dates have confirmed it.
	First *firstStart `json:"first,omitempty"`
	// Begin is from where on the progress answers for the subaccount, in Unix seconds; 0 in one of an earlier release.
	Begin int64 `json:"begin,omitempty"`
}

// firstStart is the beginning of a first start, in Unix seconds.
type firstStart struct {
	Planned int64 `json:"planned"`      // by the local clock
	Begun   int64 `json:"begun"`        // as corrected so far
	At      int64 `json:"at,omitempty"` // what the local clock showed
}

// keepTime brings the progress in line with what answers have shown of the time at the source.
func (s *subaccount) keepTime(ctx context.Context) error {
	s.watchClock()
	if s.unsettled.Load() {
		if err := s.settleStart(ctx); err != nil {
			return err
		}
	}
	if err := s.inherit(ctx); err != nil {
		return err
	}
	return s.rewind(ctx)
}

// startAhead is by how many seconds the local clock was ahead of the source's time now when the progress was loaded, or at the
// first start, after which it may have been corrected. It reports whether that is proven, and false while nothing is known.
// Without a Date there is only the local clock itself, where it was set back.
func (s *subaccount) startAhead() (ahead, now int64, sure, known bool) {
	now, dated := s.clock.dated()
	local, trust := s.clock.source()
	if !dated {
		now = local
	}
	ahead = s.restoredAt - (now - int64(time.Since(s.restored)/time.Second))
	switch {
	case !dated && (trust != undated || ahead <= int64(clockStep/time.Second)):
		return 0, 0, false, false
	case ahead > 0:
		ahead += 2 // both are rounded, and reading more is better than less
	}
	return max(0, ahead), now, trust == trusted, true
}

// settleStart lets a first start begin where the source's clock says that it is, if the local one was ahead: what lies between
// was still to come, and no sweep would ever read it.
func (s *subaccount) settleStart(ctx context.Context) error {
	ahead, now, sure, known := s.startAhead()
	if !known || !sure && (ahead == 0 || ahead > oneDate) {
		return nil
	}
	if err := s.delivering.enter(ctx); err != nil {
		return err
	}
	defer s.delivering.leave()
	marks := s.store.marks
	first := marks.First
	if first == nil {
		return nil // confirmStart was quicker
	}
	begin := min(first.Begun, max(first.Planned-ahead, oldestBegin(now)))
	if begin < first.Begun {
		progress := s.progress.Clone()
		progress.BeginAt(first.Begun, begin)
		s.store.marks.First = &firstStart{Planned: first.Planned, Begun: begin, At: first.At}
		s.store.marks.Begin = min(marks.Begin, begin)
		if err := s.saveProgress(ctx, progress); err != nil {
			s.store.marks = marks
			return err
		}
		s.logger.Warn("The local clock was ahead at the first start; reading begins earlier",
			append(labels(s), zap.Time("from", time.Unix(begin, 0).UTC()))...)
	}
	if sure {
		s.settled()
	}
	return nil
}

// confirmStart notes, with what is saved anyhow, that the local clock was right at the first start. delivering is held.
func (s *subaccount) confirmStart() {
	if ahead, _, sure, _ := s.startAhead(); s.store.marks.First != nil && sure && ahead == 0 {
		s.settled()
	}
}

func (s *subaccount) settled() {
	s.store.marks.First = nil // stored with what is read next
	s.unsettled.Store(false)
}

// rewind takes back credit beyond the present, left by a local clock that ran ahead while answers had no Date. What a Date has
// proven to have passed is never taken back, however far the local clock is set back.
func (s *subaccount) rewind(ctx context.Context) error {
	now, trust := s.clock.source()
	now = max(now, s.proven.Load())
	if trust == unknown || trust == doubted || !s.published.Load().Ahead(now+clockTolerance) {
		return nil
	}
	if err := s.delivering.enter(ctx); err != nil {
		return err
	}
	defer s.delivering.leave()
	progress := s.progress.Clone()
	progress.Rewind(now)
	if err := s.saveProgress(ctx, progress); err != nil {
		return err
	}
	s.logger.Warn("The clock was set back; the time in between is read again", labels(s)...)
	return nil
}

// probe is what to ask for where the source's time has to show and nothing is due by the local clock, because that is behind
// what was read: the first second that was not, of which any event is as new as the others.
func (s *subaccount) probe(bound int64) (span sweep.Span, needed bool) {
	_, trust := s.clock.source()
	progress := s.published.Load()
	if trust == trusted || trust == undated || !progress.Ahead(bound+clockTolerance) {
		return sweep.Span{}, false
	}
	front := progress.Front()
	return sweep.Span{From: front, To: front + 1}, true
}

// untilTick is the time to the next poll that reads what is new. While clocks contradict each other it is short for a while, so
// that it shows soon which is right.
func (s *subaccount) untilTick() time.Duration {
	_, trust := s.clock.source()
	if trust != doubted {
		s.hurried = 0
	} else if s.hurried < hurry {
		s.hurried++
		return min(askAgain, pollEvery(s.cfg))
	}
	return pollEvery(s.cfg)
}

// watchClock tells once of a local clock that differs from the server's. One that is behind makes events late by as much, so it
// is a status, too.
func (s *subaccount) watchClock() {
	source, trust := s.clock.source()
	if trust != trusted {
		return
	}
	behind := time.Duration(source-s.clock.showing().Unix()) * time.Second
	if wrong := behind.Abs() > clockStep; wrong == s.clockWrong {
		return
	}
	s.clockWrong = !s.clockWrong
	var err error
	switch {
	case !s.clockWrong:
		s.logger.Info("The local clock agrees with the server's again", labels(s)...)
	case behind > 0:
		err = fmt.Errorf("the local clock is %s behind the server's, and events are read so much later; set the clock", behind)
		s.logger.Warn("The local clock is behind the server's: events are read so much later; set the clock",
			append(labels(s), zap.Stringer("behind", behind))...)
	default:
		s.logger.Warn("The local clock is ahead of the server's, which is used in its place; set the clock",
			append(labels(s), zap.Stringer("ahead", -behind))...)
	}
	s.status.Set(s.cause("clock"), err)
}
