// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/completeness"
)

// source is what is known of one source: what arrived from it and, where its service is simulated, what there is.
type source struct {
	name       string // service.name of its records
	arrived    int    // records, repeats included
	categories map[string]int
	newest     time.Time // event time of the newest record
	speed      speed
	book       *completeness.Book          // nil where nobody knows what the source has
	idOf       func(plog.LogRecord) string // the source's own id of an event; empty for a record that is no event
	risk       risk
}

// risk is how many events one kill of the Collector may concern at most.
type risk struct {
	repeats int // delivered and not yet noted as such: they come again
	losses  int // handed out by a source that does so only once, and not yet stored
}

// newSource is a source of which only what arrives is known.
func newSource(name string) *source {
	return &source{name: name, categories: map[string]int{}}
}

// newComparedSource is a source whose service tells what it has.
func newComparedSource(name string, r risk, idOf func(plog.LogRecord) string) *source {
	s := newSource(name)
	s.book, s.idOf, s.risk = completeness.NewBook(), idOf, r
	return s
}

// take counts a record and tells whether it is here for the first time.
func (s *source) take(r plog.LogRecord) (fresh bool) {
	s.arrived++
	s.categories[category(r.EventName())]++
	if at := r.Timestamp().AsTime(); at.After(s.newest) {
		s.newest = at
	}
	if s.book == nil {
		return true
	}
	id := s.idOf(r)
	return id == "" || !s.book.Arrival(id, text(r.Attributes(), "log.record.uid"))
}

// attributeID takes the source's own id of an event from an attribute.
func attributeID(key string) func(plog.LogRecord) string {
	return func(r plog.LogRecord) string { return text(r.Attributes(), key) }
}

// text is an attribute as text, empty if there is none.
func text(attributes pcommon.Map, key string) string {
	v, ok := attributes.Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}
