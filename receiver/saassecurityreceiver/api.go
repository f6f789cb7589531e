// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
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

	// How long the documented path is used after the other one was not found: longer each time, as long as that goes on. A
	// single answer of many is believed for a moment only, for behind a gateway it can come from elsewhere.
	minBulkRetry = time.Second
	maxBulkRetry = 10 * time.Minute
	bulkTrouble  = time.Minute // when the loss of a path that was there becomes a status
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

	clock       *clock
	singleUntil atomic.Pointer[time.Time] // until when pathSingle is used; nil if not

	// Owned by the goroutine of poll.go.
	missedAt  time.Time     // when a read last did not find pathBulk
	bulkRetry time.Duration // how long pathSingle is used since; 0 while pathBulk is there
	bulkSeen  bool          // pathBulk answered in this run
}

// read asks for events once. Until it is sent it ends with ctx, afterwards only with patience. A token that cannot be had is an
// error of a read that was not sent.
func (a *api) read(ctx, patience context.Context) *reply {
	r := &reply{path: a.path()}
	if a.tokens != nil {
		token, err := a.tokens.Token(ctx)
		if err != nil {
			r.err = err
			return r
		}
		r.token = token
	}
	if r.err = ctx.Err(); r.err != nil {
		return r
	}
	var sent atomic.Int32
	var seen atomic.Pointer[moment]
	traced := httptrace.WithClientTrace(patience, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Add(1) },
		// The server has stamped its Date a moment ago; the body may take long.
		GotFirstResponseByte: func() { m := a.clock.moment(); seen.Store(&m) },
	})
	req, err := http.NewRequestWithContext(traced, http.MethodGet, strings.TrimRight(a.endpoint, "/")+r.path, http.NoBody)
	if err != nil {
		r.err = errors.New("building the request: check endpoint") // err quotes it
		return r
	}
	req.Header.Set("Accept", "application/json")
	r.token.Authorize(req)

	start := time.Now()
	resp, err := a.caller.Do(traced, opRead, req)
	r.at, r.seen = time.Now(), a.clock.moment()
	if m := seen.Load(); m != nil {
		r.seen = *m
	}
	r.took, r.err, r.sent = r.at.Sub(start), err, int(sent.Load())
	if resp != nil {
		r.status, r.header, r.body = resp.Status, resp.Header, resp.Body
		r.size = len(r.body)
		r.truncated = err != nil
		r.look()
	}
	if failure, ok := errors.AsType[*httpcall.Error](err); ok {
		r.status = failure.Status
	}
	return r
}

func (a *api) path() string {
	if until := a.singleUntil.Load(); until != nil && time.Now().Before(*until) {
		return pathSingle
	}
	return pathBulk
}

// bulkMissing switches to the documented path for a while if the other one was not found. It reports false if the reply is
// another failure.
func (a *api) bulkMissing(r *reply) bool {
	if r.status != http.StatusNotFound || r.path != pathBulk {
		return false
	}
	if r.at.Add(-r.took).Before(a.missedAt) { // it was under way when another one told the same
		return true
	}
	a.missedAt = r.at
	a.bulkRetry = min(max(2*a.bulkRetry, minBulkRetry), maxBulkRetry)
	until := time.Now().Add(a.bulkRetry)
	a.singleUntil.Store(&until)
	return true
}

// bulkFound notes that pathBulk answered, and reports whether it was missing before.
func (a *api) bulkFound() (again bool) {
	again = a.bulkRetry > 0
	a.bulkRetry, a.bulkSeen = 0, true
	return again
}
