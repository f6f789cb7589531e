// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/seen"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// Guards of paging. SAP documents neither how long a handle lives nor what a server does that has lost its place.
const (
	pageRecords = 500 // SAP-docs 30ece35: fixed, not configurable
	// maxWindowPages is the length at which a window that can be cut is cut: a failure late in it would repeat too much.
	maxWindowPages = 40
	// maxFruitless is how many pages in a row may bring nothing that the window has not brought before.
	maxFruitless = 20
)

// Reasons for which a window is read again from its first page, whole or in parts.
const (
	reasonHandle     = "handle_refused"
	reasonRepeated   = "handle_repeated"
	reasonEndless    = "endless_handles"
	reasonFullLast   = "full_last_page"
	reasonEmptyLast  = "empty_last_page"
	reasonEmpty      = "empty"
	reasonLarge      = "large"
	reasonMalformed  = "malformed"
	reasonTooLarge   = "oversized"
	reasonCategories = "category_unsupported"
	reasonServer     = "server"
	reasonRefused    = "refused_by_backend"
)

// anomaly is an answer that makes the rest of a window unreadable in this run, while other windows can be read.
type anomaly struct {
	reason string
	err    error
	again  sweep.Set // what is to be read again; nil for the whole window
}

func (a *anomaly) Error() string {
	if a.err != nil {
		return a.reason + ": " + a.err.Error()
	}
	return a.reason
}

func (a *anomaly) Unwrap() error { return a.err }

// window is one chain of pages: a span of event time and how far its paging has come.
type window struct {
	// aside is the span, and its history of being set aside.
	aside
	bound       int64 // the source's time when it was planned or first answered, whichever is earlier
	byDate      bool  // a Date has proven bound
	current     bool  // it reaches to the present, where the next poll goes on
	unfiltered  bool  // the API was not asked to filter by category
	view        *seen.View
	handle      string
	handles     map[string]struct{}
	served      map[record.Key]struct{}
	pages       int
	fruitless   int
	records     int
	full        bool         // the page before was
	lastFull    bool         // the last page was, or may have been
	lastMissing bool         // the last page had no records although a handle had promised some
	ahead       chan fetched // a page that is being fetched while the one before it is delivered
}

// page is one answer of the API, split into records.
type page struct {
	records []record.Raw
	next    string
	broken  error // why the rest of the page could not be made out; only when salvaging
	lease   *lease
}

type fetched struct {
	page *page
	err  error
}

// read takes the window's next page, from the fetch that is under way if there is one.
//
// A page that ends all progress is returned together with an anomaly: its records are delivered nevertheless.
func (w *window) read(ctx context.Context, s *subaccount) (*page, error) {
	f := fetched{}
	if w.ahead != nil {
		f = <-w.ahead
		w.ahead = nil
	} else {
		f.page, f.err = s.fetch(ctx, w)
	}
	if f.err != nil {
		return nil, f.err
	}
	return f.page, w.advance(f.page)
}

// readAhead starts to fetch the next page; delivering the current one takes as long as the backend likes.
func (w *window) readAhead(ctx context.Context, s *subaccount) {
	ahead := make(chan fetched, 1)
	w.ahead = ahead
	s.background.Go(func() {
		p, err := s.fetch(ctx, w)
		ahead <- fetched{p, err}
	})
}

// advance takes the page into account and tells when paging makes no progress.
func (w *window) advance(p *page) error {
	w.pages++
	w.records += len(p.records)
	fresh := 0
	for i := range p.records {
		if _, again := w.served[p.records[i].Key]; !again {
			w.served[p.records[i].Key] = struct{}{}
			fresh++
		}
	}
	w.fruitless++
	if fresh > 0 {
		w.fruitless = 0
	}
	defer func() { w.full = len(p.records) >= pageRecords }()
	if p.next == "" {
		// A page that is full may be the end or have lost its handle; an empty one after it may be either, too.
		w.lastFull = len(p.records) >= pageRecords || (len(p.records) == 0 && w.full)
		w.lastMissing = len(p.records) == 0 && w.pages > 1
		w.handle = ""
		return nil
	}
	if _, again := w.handles[p.next]; again {
		return &anomaly{reason: reasonRepeated}
	}
	w.handles[p.next] = struct{}{}
	w.handle = p.next
	if w.fruitless >= maxFruitless {
		return &anomaly{reason: reasonEndless}
	}
	return nil
}

// done reports whether the last page was read.
func (w *window) done() bool { return w.pages > 0 && w.handle == "" }

// query is the request for the window's next page: both edges a second wider, because SAP says neither whether they are
// inclusive nor what happens to fractions.
func (w *window) query(categories []string) auditlog.Query {
	wide := w.span.Widen(1)
	return auditlog.Query{From: wide.Start(), To: wide.End(), Handle: w.handle, Categories: categories}
}

// close gives the window's memory back, and that of a page which is still being fetched for it.
func (w *window) close(s *subaccount) {
	if w.view != nil {
		w.view.Unpin()
		w.view = nil
	}
	if ahead := w.ahead; ahead != nil {
		w.ahead = nil
		s.background.Go(func() {
			if f := <-ahead; f.page != nil {
				f.page.lease.free()
			}
		})
	}
}
