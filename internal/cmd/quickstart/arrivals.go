// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// keepLatest is how many of the last events are kept for the screen.
const keepLatest = 8

// arrivals counts what arrived, by source.
type arrivals struct {
	sources []*source
	latest  []sentence // oldest first
}

// take counts a batch.
func (a *arrivals) take(logs plog.Logs) {
	for _, resource := range logs.ResourceLogs().All() {
		s := a.source(text(resource.Resource().Attributes(), "service.name"))
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if s.take(record) {
					a.remember(describe(s.name, record))
				}
			}
		}
	}
}

// source finds a source. One that nobody has announced gets a row, too.
func (a *arrivals) source(name string) *source {
	for _, s := range a.sources {
		if s.name == name {
			return s
		}
	}
	s := newSource(name)
	a.sources = append(a.sources, s)
	return s
}

// remember puts an event at the end of the latest. One that happens again and again, as reading the audit log does, takes one
// place only.
func (a *arrivals) remember(s sentence) {
	same := func(o sentence) bool {
		return o.source == s.source && o.event == s.event && o.user == s.user && o.what == s.what
	}
	if i := slices.IndexFunc(a.latest, same); i >= 0 {
		s.times += a.latest[i].times
		a.latest = slices.Delete(a.latest, i, i+1)
	}
	if len(a.latest) == keepLatest {
		a.latest = slices.Delete(a.latest, 0, 1)
	}
	a.latest = append(a.latest, s)
}

// measure notes the counts of a moment, for the rates.
func (a *arrivals) measure(now time.Time) {
	for _, s := range a.sources {
		s.speed.note(now, s.arrived)
	}
}

// category is the last part of an event's name.
func category(eventName string) string {
	if eventName == "" {
		return "without a name"
	}
	return eventName[strings.LastIndexByte(eventName, '.')+1:]
}

// speed is a rate over the last seconds.
type speed struct {
	marks []mark
}

type mark struct {
	at    time.Time
	count int
}

const speedSpan = 5 * time.Second

func (s *speed) note(now time.Time, count int) {
	s.marks = append(s.marks, mark{now, count})
	for len(s.marks) > 2 && now.Sub(s.marks[1].at) >= speedSpan {
		s.marks = slices.Delete(s.marks, 0, 1)
	}
}

// perSecond is the rate since the oldest mark.
func (s *speed) perSecond() float64 {
	if len(s.marks) < 2 {
		return 0
	}
	first, last := s.marks[0], s.marks[len(s.marks)-1]
	seconds := last.at.Sub(first.at).Seconds()
	if seconds <= 0 {
		return 0
	}
	return float64(last.count-first.count) / seconds
}
