// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/event"
)

// errNotEvents is what a 2xx means that is not an answer of the API, such as a login page.
var errNotEvents = errors.New(opRead + ": the reply says success but holds neither events nor an empty list; it is delivered raw; " +
	"check that endpoint is the API and that no proxy answers in its place")

// reply is the outcome of one read.
type reply struct {
	token oauth.Token // which it was made with
	path  string
	took  time.Duration
	at    time.Time
	seen  moment // when its Date was stamped, as far as that shows
	err   error  // nil for every 2xx that came whole

	// sent counts how often the request went out. More than once would mean that a layer below repeats reads.
	sent int

	status    int
	header    http.Header
	body      []byte
	size      int // of the body
	truncated bool
	worth     bool // the body holds more than blanks and an empty list
	events    int  // in the body
	odd       bool // the body neither holds events nor says that none is waiting
}

// nothing are the bodies that hold no event, without blanks.
var nothing = map[string]bool{"": true, "[]": true, "{}": true, "null": true, `{"events":[]}`: true, `{"events":null}`: true}

// look reads the body as whoever takes it out of the spool will. For how to go on reading it need not be known what came, but
// whether anything did: a page that a proxy sends with status 200 says nothing about the queue, and must not look like a queue
// that was drained.
func (r *reply) look() {
	r.worth = len(r.body) > 256 || !nothing[string(bytes.Join(bytes.Fields(r.body), nil))]
	contentType := r.header.Get("Content-Type")
	if len(bytes.TrimSpace(r.body)) == 0 {
		r.odd = r.status != http.StatusNoContent && strings.Contains(strings.ToLower(contentType), "html")
		return
	}
	found := event.Decode(r.body, contentType)
	r.events = found.Events
	if rest := found.Problem.Rest; r.events == 0 && !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("<")) {
		r.events = bytes.Count(rest, []byte(`"log_type"`)) // there are some, however broken
	}
	r.odd = r.worth && r.events == 0 && (!found.Listed || found.Reports || found.Problem.Found())
}

// empty reports whether the reply says that no event is waiting.
func (r *reply) empty() bool { return r.err == nil && r.events == 0 && !r.odd }

// unsent reports whether the end of reading kept the read from being sent.
func (r *reply) unsent(ctx context.Context) bool { return r.sent == 0 && ctx.Err() != nil }

// full reports whether more events are likely to wait. One event where there is never more than one does not say so.
func (r *reply) full() bool { return r.events >= maxEventsPerRead }

// unknown returns why nobody knows whether the read took events that did not arrive, or "". Refusals (4xx, 3xx) come before
// anything is taken; a gateway's 5xx says nothing about the server behind it.
func (r *reply) unknown() string {
	switch kind := httpcall.KindOf(r.err); {
	case r.sent > 1:
		return "repeated"
	case r.err == nil || r.sent == 0:
		return ""
	case r.truncated:
		return "incomplete_reply"
	case kind == httpcall.KindCanceled:
		return "given_up"
	case kind == httpcall.KindTimeout:
		return "timeout"
	case kind == httpcall.KindServer || kind == httpcall.KindNotImplemented:
		return "server_error"
	case r.status >= 300 && r.status < 500:
		return ""
	default:
		return "no_reply"
	}
}

// outcome is the read's label in metrics.
func (r *reply) outcome() string {
	switch {
	case r.empty():
		return "empty"
	case r.err == nil && r.odd:
		return "not_events"
	case r.err == nil:
		return "events"
	default:
		return httpcall.KindOf(r.err).String()
	}
}
