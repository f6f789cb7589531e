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
	"unicode/utf8"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
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
	events    int  // estimate, see estimate
	odd       bool // the body neither holds events nor says that none is waiting
}

// nothing are the bodies that hold no event, without blanks.
var nothing = map[string]bool{"": true, "[]": true, "{}": true, "null": true, `{"events":[]}`: true, `{"events":null}`: true}

// estimate looks at the body without taking events apart, which happens when it comes out of the spool. For how to go on
// reading it need not be known exactly how many came, but whether any did: a page that a proxy sends with status 200 says
// nothing about the queue, and must not look like a queue that was drained.
func (r *reply) estimate() {
	r.worth = len(r.body) > 256 || !nothing[string(bytes.Join(bytes.Fields(r.body), nil))]
	text := bytes.TrimSpace(r.body)
	switch {
	case len(text) == 0:
		r.odd = r.status != http.StatusNoContent && strings.Contains(strings.ToLower(r.header.Get("Content-Type")), "html")
	case text[0] == '<':
		r.odd = true
	default:
		r.events = bytes.Count(text, []byte(`"log_type"`))
		if r.events == 0 {
			r.events, r.odd = listed(text)
		}
	}
}

// listed counts what a document without a log_type lists: nothing, mostly. A document that has no list, or that reports an
// error beside an empty one, is odd. A list that is too long to be taken apart at once counts as a full one.
func listed(text []byte) (events int, odd bool) {
	var doc jsonlog.Doc
	if !utf8.Valid(text) || doc.Parse(jsonlog.Take(text)) != nil {
		return 0, true
	}
	root := doc.Root()
	if n, ok := lengthOf(root); ok {
		return n, false
	}
	if root.Kind() != jsonlog.Object {
		return 0, true
	}
	if root.Len() == 0 {
		return 0, false
	}
	inner := root.Get("events")
	n, ok := lengthOf(inner)
	if !ok {
		return 0, true
	}
	return n, n == 0 && (reports(root.Get("error").Raw()) || reports(root.Get("errors").Raw()))
}

// lengthOf a list; null is an empty one.
func lengthOf(n jsonlog.Node) (length int, ok bool) {
	switch {
	case n.Kind() == jsonlog.Null:
		return 0, true
	case n.Kind() == jsonlog.Array:
		return n.Len(), true
	default:
		return maxEventsPerRead, strings.HasPrefix(n.Raw(), "[")
	}
}

// reports says whether a member that is named after errors speaks of one.
func reports(value string) bool {
	switch value {
	case "", "null", "false", "0", `""`, "[]", "{}":
		return false
	}
	return true
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
