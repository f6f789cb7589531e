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
	arrived    int // records, repeats included
	rate       float64
	newest     time.Time
	categories []categoryCount
	state      completeness.State
	pending    int       // events that the source shows and that have not arrived
	oldest     time.Time // since when the source shows the longest awaited of them
	backlog    int       // of the events that were there when the Collector started, those that have not arrived
	kills      int
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
		v.sources = append(v.sources, s.view(w.started, w.keeper.kills))
	}
	return v
}

func (s *source) view(started time.Time, kills int) sourceView {
	v := sourceView{
		name: s.name, arrived: s.arrived, rate: s.speed.perSecond(), newest: s.newest, state: s.book.State(),
		backlog: s.book.Missing(started), kills: kills,
	}
	v.oldest, _ = s.book.OldestMissing()
	v.pending = v.state.Visible - v.state.Arrived
	for _, name := range slices.Sorted(maps.Keys(s.categories)) {
		v.categories = append(v.categories, categoryCount{name, s.categories[name]})
	}
	slices.SortStableFunc(v.categories, func(a, b categoryCount) int { return cmp.Compare(b.count, a.count) })
	return v
}

// openWindows is how many windows of one source are read in parallel, as the receivers' default says, and pageEvents how
// many events a page has. A kill may catch each window between a page's delivery and its checkpoint; these pages come again.
const (
	openWindows = 4
	pageEvents  = 500
)

// repeatsAllowed is how many events may come again because of kills.
func repeatsAllowed(kills int) int { return kills * openWindows * pageEvents }

// trouble says what is wrong with what arrived, and "" if nothing is.
func (s *sourceView) trouble() string {
	switch {
	case s.state.Renamed > 0:
		return events(s.state.Renamed) + " came again under another log.record.uid"
	case s.state.Repeated > 0 && s.kills == 0:
		return events(s.state.Repeated) + " came again although nothing was killed"
	case s.state.Repeated > repeatsAllowed(s.kills):
		return events(s.state.Repeated) + " came again, more than kills explain (at most " + number(repeatsAllowed(s.kills)) + ")"
	case s.state.Unknown > 0:
		return events(s.state.Unknown) + " came that the source does not have"
	default:
		return ""
	}
}
