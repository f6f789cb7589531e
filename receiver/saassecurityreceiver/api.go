// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
)

const (
	// pathBulk gives up to 100 events. It is not in the vendor's documents, but what all known collectors use.
	pathBulk = "/api/v1/log_events_bulk"
	// pathSingle is the documented one and gives one event.
	pathSingle = "/api/v1/log_events"

	opRead = "reading log events"

	// bulkRetry is how long the documented path is used after the other one was not found.
	bulkRetry = 10 * time.Minute
)

// tokens is what the api needs of an oauth.Source.
type tokens interface {
	Token(ctx context.Context) (oauth.Token, error)
	Drop(t oauth.Token)
}

// api reads the queue of events. Each read removes what it returns.
type api struct {
	endpoint string
	caller   *httpcall.Caller
	tokens   tokens // nil: an authenticator extension adds the token

	singleUntil atomic.Int64 // Unix nanoseconds until which pathSingle is used
}

// reply is the outcome of one read.
type reply struct {
	token oauth.Token // which it was made with
	path  string
	took  time.Duration
	at    time.Time
	err   error // nil for every 2xx that came whole

	// sent counts how often the request went out. More than once would mean that a layer below repeats reads.
	sent int

	status    int
	header    http.Header
	body      []byte
	truncated bool
	events    int  // estimate, see estimate
	worth     bool // the body holds more than blanks and an empty list
}

// read asks for events once. ctx must not end while the read is in flight, except at the very end of the process's patience.
// A token that cannot be had is an error of a read that was not sent.
func (a *api) read(ctx context.Context) *reply {
	r := &reply{path: a.path()}
	if a.tokens != nil {
		token, err := a.tokens.Token(ctx)
		if err != nil {
			r.err = err
			return r
		}
		r.token = token
	}
	var sent atomic.Int32
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Add(1) }})
	req, err := http.NewRequestWithContext(traced, http.MethodGet, strings.TrimRight(a.endpoint, "/")+r.path, http.NoBody)
	if err != nil {
		r.err = errors.New("building the request: check endpoint") // err quotes it
		return r
	}
	req.Header.Set("Accept", "application/json")
	r.token.Authorize(req)

	start := time.Now()
	resp, err := a.caller.Do(traced, opRead, req)
	r.at = time.Now()
	r.took, r.err, r.sent = r.at.Sub(start), err, int(sent.Load())
	if resp != nil {
		r.status, r.header, r.body = resp.Status, resp.Header, resp.Body
		r.truncated = err != nil
		r.estimate()
	}
	if failure, ok := errors.AsType[*httpcall.Error](err); ok {
		r.status = failure.Status
	}
	return r
}

func (a *api) path() string {
	if time.Now().UnixNano() < a.singleUntil.Load() {
		return pathSingle
	}
	return pathBulk
}

// bulkMissing switches to the documented path for a while. It reports false if that is what was not found.
func (a *api) bulkMissing(r *reply) bool {
	if r.status != http.StatusNotFound || r.path != pathBulk {
		return false
	}
	a.singleUntil.Store(time.Now().Add(bulkRetry).UnixNano())
	return true
}

// nothing are the bodies that hold no event, without blanks.
var nothing = map[string]bool{"": true, "[]": true, "{}": true, "null": true, `{"events":[]}`: true, `{"events":null}`: true}

// estimate looks at the body without parsing it, which happens when it is taken out of the spool. For how to go on reading it
// need not be known exactly how many events came.
func (r *reply) estimate() {
	r.worth = len(r.body) > 256 || !nothing[string(bytes.Join(bytes.Fields(r.body), nil))]
	if r.worth {
		r.events = max(1, bytes.Count(r.body, []byte(`"log_type"`)))
	}
}

// empty reports whether the reply says that no event is waiting.
func (r *reply) empty() bool { return r.err == nil && !r.worth }

// full reports whether more events are likely to wait.
func (r *reply) full() bool {
	return r.worth && (r.path == pathSingle || r.events >= maxEventsPerRead)
}

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
	case r.err == nil:
		return "events"
	default:
		return httpcall.KindOf(r.err).String()
	}
}
