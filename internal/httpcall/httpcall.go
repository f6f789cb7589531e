// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package httpcall makes one HTTP request, bounded in size, and tells in one safe error type what went wrong. It never
// repeats a request, never follows a redirect, and nothing that may carry a secret or an event (body, query, headers,
// the texts of lower layers) reaches its errors. It knows no vendor.
package httpcall

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

const (
	// DefaultMaxBody is the limit of a reply's body in bytes, after decompression.
	DefaultMaxBody = 64 << 20

	// maxErrorBody is how much of a refusal's body is read to look for its machine code.
	maxErrorBody = 64 << 10
)

// Caller sends requests through one http.Client. It is safe for concurrent use.
type Caller struct {
	client    *http.Client
	maxBody   int64
	describe  bool
	userAgent string
}

// Option changes a Caller at its creation.
type Option func(*Caller)

// WithMaxBody sets the limit of a reply's body in bytes, after decompression. The default is DefaultMaxBody.
func WithMaxBody(n int64) Option {
	return func(c *Caller) { c.maxBody = n }
}

// WithDescription keeps in errors the error_description of a refusal, cleaned. It is for token services: elsewhere the text
// of a refusal can hold anything.
func WithDescription() Option {
	return func(c *Caller) { c.describe = true }
}

// WithUserAgent sets what requests name as the program, unless they do so themselves. The default is that of net/http.
func WithUserAgent(name string) Option {
	return func(c *Caller) { c.userAgent = name }
}

// With returns a Caller that uses the same client, with further options.
func (c *Caller) With(opts ...Option) *Caller {
	other := *c
	for _, opt := range opts {
		opt(&other)
	}
	return &other
}

// New returns a Caller that uses the transport, cookies and timeout of client. The client itself is not changed: the
// Caller works on a shallow copy that refuses every redirect.
func New(client *http.Client, opts ...Option) *Caller {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Caller{client: &own, maxBody: DefaultMaxBody}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// Response is a 2xx reply, its body fully read.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Date   time.Time // the server's clock (Date header); zero if missing or unreadable
}

// Do sends req exactly once, under ctx, and reads the whole reply. op names the operation in errors, such as
// "requesting a token".
//
// A 2xx reply gives a Response and no error, everything else an *Error. If the body of a 2xx reply breaks off or is
// larger than the limit, both are returned: the Response holds what came.
func (c *Caller) Do(ctx context.Context, op string, req *http.Request) (*Response, error) {
	var hs handshake
	req = req.WithContext(hs.watch(ctx))
	if c.userAgent != "" && req.Header.Get("User-Agent") == "" {
		req.Header = req.Header.Clone()
		req.Header.Set("User-Agent", c.userAgent)
	}
	reply, err := c.client.Do(req)
	if err != nil {
		e := transportError(ctx, op, req.URL, err, &hs)
		e.Unanswered = e.Kind == KindNetwork && hs.unanswered(err)
		return nil, e
	}
	defer func() { _ = reply.Body.Close() }() // nothing left to learn from it

	date, err := http.ParseTime(reply.Header.Get("Date"))
	if err != nil {
		date = time.Time{}
	}
	if reply.StatusCode < 200 || reply.StatusCode > 299 {
		e := statusError(op, req, reply, date, c.describe)
		if e.Status == http.StatusProxyAuthRequired { // no server says that
			explainAnswer(e, hs.proxy(req.URL), e.Status)
		}
		return nil, e
	}

	// One byte more than the limit shows whether there is more. Reading stops there, so what a small compressed body
	// can swell to is bounded too.
	body, err := readAll(io.LimitReader(reply.Body, c.maxBody+1), reply.ContentLength)
	resp := &Response{Status: reply.StatusCode, Header: reply.Header, Body: body, Date: date}
	switch {
	case err != nil:
		return resp, bodyError(ctx, op, req.URL.Host, reply.StatusCode, err)
	case int64(len(body)) > c.maxBody:
		resp.Body = body[:c.maxBody:c.maxBody]
		return resp, tooLargeError(op, req.URL.Host, reply.StatusCode, c.maxBody)
	}
	return resp, nil
}

// trustedLength bounds the memory that is set aside because a server says how long its body is.
const trustedLength = 4 << 20

// readAll is io.ReadAll without its growing, and so without its garbage, where the length is known.
func readAll(r io.Reader, length int64) ([]byte, error) {
	if length <= 0 || length > trustedLength {
		return io.ReadAll(r)
	}
	buf := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
	_, err := buf.ReadFrom(r)
	return buf.Bytes(), err
}
