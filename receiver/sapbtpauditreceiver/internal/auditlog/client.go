// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package auditlog is a client of the SAP BTP Audit Log Retrieval API v2 for subaccounts (SAP-docs 30ece35): one call gets
// one page. It repeats a request only with a fresh token or in the other style of paging; everything else is the caller's.
package auditlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
)

const (
	operation  = "retrieving audit log records"
	path       = "auditlog/v2/auditlogrecords"
	timeLayout = "2006-01-02T15:04:05" // UTC without a zone (SAP-docs 30ece35)
)

// Tokens is where access tokens come from; *oauth.Source is one.
type Tokens interface {
	Token(ctx context.Context) (oauth.Token, error)
	Drop(t oauth.Token)
}

// Settings describe the API of one subaccount.
type Settings struct {
	Endpoint string // the service key's url
	Caller   *httpcall.Caller
	Tokens   Tokens // nil if the Caller's client authorizes requests by itself
	// Wait is called before every single request and returns when it may be sent. Its error ends the call as it is.
	// Default: no wait.
	Wait func(ctx context.Context) error
	// OnRequest, if set, is told the outcome (one of the Outcome constants) and duration of every request that was not
	// canceled.
	OnRequest func(outcome string, d time.Duration)
}

// Client gets pages of one subaccount's audit log. It is safe for concurrent use.
type Client struct {
	settings Settings
	base     *url.URL
	alone    atomic.Bool // follow-up requests carry the handle alone
}

// New returns a Client. It makes no request yet. The error is that of an endpoint which is not a URL.
func New(settings Settings) (*Client, error) {
	base, err := url.Parse(settings.Endpoint)
	if err != nil || base.Host == "" {
		return nil, errors.New("endpoint: is not a valid URL") // err would quote it
	}
	if settings.Wait == nil {
		settings.Wait = func(context.Context) error { return nil }
	}
	if settings.OnRequest == nil {
		settings.OnRequest = func(string, time.Duration) {}
	}
	if base.Path == "" {
		base.Path = "/" // JoinPath keeps an empty path relative, which only a real connection mends
	}
	return &Client{settings: settings, base: base.JoinPath(path)}, nil
}

// Query asks for the records of a time range, or for a further page of them.
type Query struct {
	// From and To are sent in whole seconds, From rounded down and To up. SAP does not say whether they are inclusive.
	From, To time.Time
	// Handle is that of the page before, with the times and categories of that page; "" asks for the first page.
	Handle string
	// Categories to ask for; none asks for all.
	Categories []string
}

// Page is the answer to a Query.
type Page struct {
	Body  []byte    // the reply as received, uncompressed; nil if Empty
	Next  string    // handle of the next page; "" after the last
	Date  time.Time // the server's clock; zero if it does not tell
	Empty bool      // the server says that there are no records (204)
}

// Page gets one page. Beside *httpcall.Error it gives errors that match
//   - ErrHandle: the handle is refused with and without the times; begin again with the first page,
//   - ErrCategoryFilter: this subaccount's API cannot filter by category; ask without,
//   - ErrToken: there is no token to ask with; the page itself was not asked for, or refused with 401 or 403 before.
//
// A reply that broke off or is too large is an error, not a Page.
func (c *Client) Page(ctx context.Context, q Query) (*Page, error) {
	alone := c.alone.Load()
	page, err := c.get(ctx, q, alone)
	if q.Handle == "" || !refused(err) {
		return page, err
	}
	// SAP documents both styles of follow-up requests: the handle alone (30ece35) and with the times (7db3c9f).
	page, err = c.get(ctx, q, !alone)
	switch {
	case err == nil:
		c.alone.Store(!alone)
	case refused(err):
		err = fmt.Errorf("%w: %w", ErrHandle, err)
	}
	return page, err
}

// get asks for a page, if need be once more with a fresh token.
func (c *Client) get(ctx context.Context, q Query, alone bool) (*Page, error) {
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	page, err := c.once(ctx, q, alone, token)
	if kind := httpcall.KindOf(err); c.settings.Tokens == nil || kind != httpcall.KindUnauthorized && kind != httpcall.KindForbidden {
		return page, err
	}
	c.settings.Tokens.Drop(token)
	token, err = c.token(ctx)
	if err != nil {
		return nil, err
	}
	return c.once(ctx, q, alone, token)
}

// token comes before the wait for permission to send, so that requests that had to wait for the same token do not follow
// each other faster than permitted.
func (c *Client) token(ctx context.Context) (oauth.Token, error) {
	if c.settings.Tokens == nil {
		return oauth.Token{}, nil
	}
	token, err := c.settings.Tokens.Token(ctx)
	if err != nil {
		return oauth.Token{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return token, nil
}

// once makes one request.
func (c *Client) once(ctx context.Context, q Query, alone bool, token oauth.Token) (*Page, error) {
	if err := c.settings.Wait(ctx); err != nil {
		return nil, err
	}
	target := *c.base
	target.RawQuery = q.encode(alone)
	req := &http.Request{Method: http.MethodGet, URL: &target, Header: http.Header{"Accept": {"application/json"}}}
	token.Authorize(req)

	begin := time.Now()
	resp, err := c.settings.Caller.Do(ctx, operation, req)
	var page *Page
	if err == nil {
		page, err = newPage(resp, c.base.Host)
	}
	if outcome := outcomeOf(page, err); outcome != "" {
		c.settings.OnRequest(outcome, time.Since(begin))
	}
	return page, explain(err, q)
}

// encode returns the query of a request.
func (q Query) encode(alone bool) string {
	values := url.Values{}
	if q.Handle == "" || !alone {
		values.Set("time_from", q.From.UTC().Format(timeLayout)) // which cuts fractions
		to := q.To.UTC()
		if to.Nanosecond() != 0 {
			to = to.Truncate(time.Second).Add(time.Second)
		}
		values.Set("time_to", to.Format(timeLayout))
		if len(q.Categories) > 0 {
			values.Set("category", strings.Join(q.Categories, ","))
		}
	}
	encoded := values.Encode()
	if q.Handle == "" {
		return encoded
	}
	if encoded != "" {
		encoded += "&"
	}
	return encoded + "handle=" + escapeHandle(q.Handle)
}

// newPage judges a 2xx reply. What cannot be a page must not pass as an empty one.
func newPage(resp *httpcall.Response, host string) (*Page, error) {
	fail := func(what string) (*Page, error) {
		return nil, &httpcall.Error{Op: operation, Host: host, Kind: httpcall.KindProtocol, Status: resp.Status, What: what}
	}
	next, ok := nextHandle(resp.Header)
	begin := bytes.TrimLeft(resp.Body, " \t\r\n")
	switch {
	case !ok:
		return fail("the Paging header of the reply cannot be understood")
	case resp.Status == http.StatusNoContent:
		return &Page{Next: next, Date: resp.Date, Empty: true}, nil
	case resp.Status != http.StatusOK:
		return fail("unexpected status")
	case len(begin) == 0:
		return fail("the reply has no body")
	case begin[0] == '<':
		return fail("the reply is a web page; check the endpoint and what a proxy in between does")
	}
	return &Page{Body: resp.Body, Next: next, Date: resp.Date}, nil
}
