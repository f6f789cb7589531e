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
	w.cutoff = time.Now()
	err := w.until(ctx, func(now time.Time) bool {
		return w.view(now).overdue() == 0 || now.Sub(w.cutoff) > settleTime
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
	lines, good := w.view(time.Now()).summary(interrupted)
	w.screen.print(lines)
	if !good && !interrupted {
		return errIncomplete
	}
	return nil
}

// overdue counts, over all sources, what was there when the time was up and has not arrived.
func (v view) overdue() int {
	n := 0
	for i := range v.sources {
		n += v.sources[i].overdue
	}
	return n
}

// summary is the last word on all sources, and whether it is a good one.
func (v view) summary(interrupted bool) (lines []line, good bool) {
	good = len(v.sources) > 0
	lines = []line{sayIn(bold, fmt.Sprintf("After %s, %s:", span(v.elapsed), v.killed()))}
	for i := range v.sources {
		s := &v.sources[i]
		lines = append(lines, s.counts(v)...)
		verdict, fine := s.verdict(interrupted)
		lines = append(lines, append(say("    "), verdict...))
		good = good && fine
		if late := s.pending - s.overdue; late > 0 && !interrupted {
			lines = append(lines, sayIn(dim, "      "+events(late)+" that the source showed after the time was up not counted"))
		}
	}
	return append(lines, say("What arrived is in "+v.events+", the collector's log in "+v.log+".")), good
}

// verdict is the last word on a source, and whether it is a good one.
func (s *sourceView) verdict(interrupted bool) (verdict line, good bool) {
	switch {
	case !s.compared:
		return sayIn(dim, notCompared), true
	case s.trouble() != "":
		return sayIn(red, "✗ "+s.trouble()), false
	case s.overdue > 0 && interrupted:
		return sayIn(yellow, events(s.overdue)+" had not arrived yet"), true
	case s.overdue > 0:
		return sayIn(red, "✗ "+events(s.overdue)+" missing"), false
	case s.state.Arrived == 0:
		return sayIn(red, "✗ nothing arrived"), false
	default:
		return append(sayIn(green, "✓ "+s.good()), s.costOfKills()...), true
	}
}

// good says what is as it is without kills.
func (s *sourceView) good() string {
	switch {
	case s.lost > 0 && s.state.Repeated > 0:
		return "as complete as the kills allow"
	case s.lost > 0:
		return "nothing is there twice"
	case s.state.Repeated > 0:
		return "nothing is missing"
	default:
		return "nothing is missing, nothing is there twice"
	}
}

const notCompared = "what this source has is not known in this run, so nothing is compared"

func (v view) killed() string {
	if v.kills == 0 {
		return "with no kill"
	}
	return "with the collector killed " + times(v.kills)
}
