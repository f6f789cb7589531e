// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// settleTime is how long after the end of a run the last events are waited for. The latest are shown after 40 s and read by
// the sweep of 40 s, a quarter later.
const settleTime = 90 * time.Second

var errIncomplete = errors.New("the run did not end as it must")

// conclude ends the run: it waits for what was there when the time was up, ends the Collector, and says whether everything
// is there. After an interrupt it only says what is there.
func (w *world) conclude(ctx context.Context) error {
	cutoff := time.Now()
	err := w.until(ctx, func(now time.Time) bool {
		return w.missing(cutoff) == 0 || now.Sub(cutoff) > settleTime
	})
	if err != nil {
		return err
	}
	interrupted := ctx.Err() != nil
	// The run's context may have ended; these last steps are short.
	ctx = context.WithoutCancel(ctx)
	if err := w.keeper.stop(); err != nil {
		return err
	}
	if err := w.file.Poll(w.arrivals.take); err != nil {
		return err
	}
	if err := w.simul.update(ctx); err != nil {
		return err
	}
	v := w.view(time.Now())
	lines, good := v.summary(func(i int) int { return w.arrivals.sources[i].book.Missing(cutoff) }, interrupted)
	w.screen.print(lines)
	if !good && !interrupted {
		return errIncomplete
	}
	return nil
}

// missing counts, over all sources, what was shown before the cutoff and has not arrived.
func (w *world) missing(cutoff time.Time) int {
	n := 0
	for _, s := range w.arrivals.sources {
		n += s.book.Missing(cutoff)
	}
	return n
}

// summary is the last word on all sources, and whether it is a good one.
func (v view) summary(missing func(i int) int, interrupted bool) (lines []line, good bool) {
	good = len(v.sources) > 0
	lines = []line{sayIn(bold, fmt.Sprintf("After %s, %s:", span(v.elapsed), v.killed()))}
	for i := range v.sources {
		s := &v.sources[i]
		lines = append(lines, s.counts(v)...)
		n, trouble := missing(i), s.trouble()
		switch {
		case trouble != "":
			lines = append(lines, sayIn(red, "    ✗ "+trouble))
			good = false
		case n > 0 && interrupted:
			lines = append(lines, sayIn(yellow, "    "+events(n)+" had not arrived yet"))
		case n > 0:
			lines = append(lines, sayIn(red, "    ✗ "+events(n)+" missing"))
			good = false
		case s.state.Arrived == 0:
			lines = append(lines, sayIn(red, "    ✗ nothing arrived"))
			good = false
		default:
			lines = append(lines, sayIn(green, "    ✓ "+s.good()))
		}
		if late := s.pending - n; late > 0 && !interrupted {
			lines = append(lines, sayIn(dim, "      "+events(late)+" that the source showed after the time was up not counted"))
		}
	}
	return append(lines, say("What arrived is in "+v.events+", the collector's log in "+v.log+".")), good
}

func (v view) killed() string {
	if v.kills == 0 {
		return "with no kill"
	}
	return "with the collector killed " + times(v.kills)
}

func (s *sourceView) good() string {
	if s.state.Repeated > 0 {
		return fmt.Sprintf("nothing is missing; %s came again after a kill, with the same log.record.uid (at most %s may)",
			events(s.state.Repeated), number(repeatsAllowed(s.kills)))
	}
	return "nothing is missing, nothing is there twice"
}
