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
	traced := httptrace.WithClientTrace(patience, &httptrace.ClientTrace{WroteHeaders: func() { sent.Add(1) }})
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
