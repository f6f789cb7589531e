// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/completeness"
)

// view is everything that is shown, at a moment.
type view struct {
	now      time.Time
	elapsed  time.Duration
	left     time.Duration // until the run ends by itself; 0 if it does not
	settling bool          // the time is up, and the last events are waited for
	pid      int           // of the Collector, 0 while it is down
	kills    int
	lastKill time.Time
	config   string
	events   string // paths
	log      string
	sources  []sourceView
	latest   []sentence
}

type sourceView struct {
	name       string
	compared   bool // what follows arrived is known
	arrived    int  // records, repeats included
	rate       float64
	newest     time.Time
	categories []categoryCount

	state     completeness.State
	lost      int       // events that were handed out at a kill, and that the source cannot give again
	pending   int       // events that the source shows and that have not arrived
	oldest    time.Time // since when the source shows the longest awaited of them
	backlog   int       // of those that it showed when the Collector started
	overdue   int       // of those that it showed when the time was up
	kills     int
	mayRepeat int // events, because of the kills
	mayLose   int
}

type categoryCount struct {
	name  string
	count int
}

func (w *world) view(now time.Time) view {
	v := view{
		now: now, elapsed: now.Sub(w.started), pid: w.keeper.pid(), kills: w.keeper.kills, lastKill: w.keeper.lastKill,
		config: w.options.config, events: w.folder.path(eventsName), log: w.folder.path(collectorLog),
		latest: w.arrivals.latest,
	}
	if !w.deadline.IsZero() {
		v.left, v.settling = w.deadline.Sub(now), !now.Before(w.deadline)
	}
	for _, s := range w.arrivals.sources {
		v.sources = append(v.sources, s.view(w, now))
	}
	return v
}

func (s *source) view(w *world, now time.Time) sourceView {
	v := sourceView{name: s.name, arrived: s.arrived, rate: s.speed.perSecond(), newest: s.newest}
	for _, name := range slices.Sorted(maps.Keys(s.categories)) {
		v.categories = append(v.categories, categoryCount{name, s.categories[name]})
	}
	slices.SortStableFunc(v.categories, func(a, b categoryCount) int { return cmp.Compare(b.count, a.count) })
	if s.book != nil {
		v.compare(s, w.keeper, now)
		v.backlog = max(0, s.book.Missing(w.started)-v.lost)
		v.overdue = max(0, s.book.Missing(w.cutoff)-v.lost)
	}
	return v
}

// doubtTime is how long after a kill everything has arrived that it has not cost.
const doubtTime = 15 * time.Second

// compare takes over what the source's book says.
func (s *sourceView) compare(from *source, k *keeper, now time.Time) {
	s.compared, s.state, s.kills = true, from.book.State(), k.kills
	s.mayRepeat, s.mayLose = k.kills*from.risk.repeats, k.kills*from.risk.losses
	awaited := time.Time{}
	if s.mayLose > 0 && now.Sub(k.lastKill) > doubtTime {
		s.lost = min(from.book.Missing(k.lastKill), s.mayLose)
		if s.lost < s.mayLose {
			awaited = k.lastKill // nothing from before is awaited any more
		}
	}
	s.pending = s.state.Visible - s.state.Arrived - s.lost
	s.oldest = from.book.OldestMissing(awaited)
}

// trouble says what is wrong with what arrived, and "" if nothing is.
func (s *sourceView) trouble() string {
	switch {
	case s.state.Renamed > 0:
		return events(s.state.Renamed) + " came again under another log.record.uid"
	case s.state.Repeated > 0 && s.kills == 0:
		return events(s.state.Repeated) + " came again although nothing was killed"
	case s.state.Repeated > s.mayRepeat:
		return events(s.state.Repeated) + " came again, more than kills explain (at most " + number(s.mayRepeat) + ")"
	case s.state.Unknown > 0:
		return events(s.state.Unknown) + " came that the source does not have"
	default:
		return ""
	}
}
