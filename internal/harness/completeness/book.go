// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package completeness compares what a source has with what arrived from it: what is missing, what came again, and what
// came that does not exist.
package completeness

import "time"

// Book is the comparison for one source. An event is known by an id of the source's own, so that the comparison does not
// rest on what the receiver makes of it.
type Book struct {
	events  map[string]*event
	pending map[string]time.Time // exists and has not arrived: since when the source shows it
	state   State
}

type event struct {
	exists   bool
	since    time.Time
	arrivals int
	uid      string
}

// State is the comparison at a moment.
type State struct {
	Visible  int // events that the source shows
	Arrived  int // of them, those that arrived at least once
	Repeated int // arrivals of an event that had arrived before
	Unknown  int // events that arrived and that the source does not show
	Renamed  int // events that came again under another log.record.uid
}

// NewBook begins a comparison.
func NewBook() *Book {
	return &Book{events: map[string]*event{}, pending: map[string]time.Time{}}
}

// Exists notes that the source shows an event since a time. It may be told again.
func (b *Book) Exists(id string, since time.Time) {
	e := b.event(id)
	if e.exists {
		return
	}
	e.exists, e.since = true, since
	b.state.Visible++
	if e.arrivals > 0 {
		b.state.Arrived++
		b.state.Unknown--
		return
	}
	b.pending[id] = since
}

// Arrival notes that an event arrived under a log.record.uid, and tells whether it had arrived before.
func (b *Book) Arrival(id, uid string) (again bool) {
	e := b.event(id)
	e.arrivals++
	if e.arrivals > 1 {
		b.state.Repeated++
		if e.uid != uid {
			b.state.Renamed++
		}
		return true
	}
	e.uid = uid
	if !e.exists {
		b.state.Unknown++
		return false
	}
	b.state.Arrived++
	delete(b.pending, id)
	return false
}

// State gives the comparison as of now.
func (b *Book) State() State { return b.state }

// Missing counts the events that the source shows since before a time and that have not arrived.
func (b *Book) Missing(before time.Time) int {
	n := 0
	for _, since := range b.pending {
		if since.Before(before) {
			n++
		}
	}
	return n
}

// MissingIDs lists some of the events that Missing counts, for a message.
func (b *Book) MissingIDs(before time.Time, limit int) []string {
	var ids []string
	for id, since := range b.pending {
		if since.Before(before) && len(ids) < limit {
			ids = append(ids, id)
		}
	}
	return ids
}

// OldestMissing is since when the source shows the event that has been waited for the longest, among those that it shows
// since a time or later; zero where none is.
func (b *Book) OldestMissing(from time.Time) time.Time {
	var oldest time.Time
	for _, since := range b.pending {
		if !since.Before(from) && (oldest.IsZero() || since.Before(oldest)) {
			oldest = since
		}
	}
	return oldest
}

// Order tells how far arrivals are from coming newest first, among the events that the source shows since before a time: the
// newest that is missing and the oldest that arrived; zero where there is none.
func (b *Book) Order(before time.Time) (newestMissing, oldestArrived time.Time) {
	for _, e := range b.events {
		switch {
		case !e.exists || !e.since.Before(before):
		case e.arrivals == 0:
			if e.since.After(newestMissing) {
				newestMissing = e.since
			}
		case oldestArrived.IsZero() || e.since.Before(oldestArrived):
			oldestArrived = e.since
		}
	}
	return newestMissing, oldestArrived
}

func (b *Book) event(id string) *event {
	e := b.events[id]
	if e == nil {
		e = &event{}
		b.events[id] = e
	}
	return e
}
