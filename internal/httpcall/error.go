// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Kind says in one word why a call failed.
type Kind int

// The kinds of failure. KindUnknown is the kind of nil and of errors that did not come from a call.
const (
	KindUnknown        Kind = iota
	KindNetwork             // no reply: DNS, connection, proxy
	KindTLS                 // the TLS handshake failed
	KindTimeout             // the client's or the context's time ran out, or the server said 408
	KindCanceled            // the context was canceled
	KindRedirect            // 3xx; never followed
	KindUnauthorized        // 401
	KindForbidden           // 403
	KindThrottled           // 429
	KindNotImplemented      // 501
	KindClient              // any other 4xx
	KindServer              // any other 5xx
	KindBrokenBody          // the body of a 2xx reply broke off or could not be decompressed
	KindTooLarge            // the body of a 2xx reply is larger than the limit
	KindProtocol            // the reply is not what the protocol asks for
)

var kindNames = [...]string{
	KindUnknown: "unknown", KindNetwork: "network", KindTLS: "tls", KindTimeout: "timeout", KindCanceled: "canceled",
	KindRedirect: "redirect", KindUnauthorized: "unauthorized", KindForbidden: "forbidden", KindThrottled: "throttled",
	KindNotImplemented: "not_implemented", KindClient: "client", KindServer: "server", KindBrokenBody: "broken_body",
	KindTooLarge: "too_large", KindProtocol: "protocol",
}

// String returns the kind in lower snake case, fit for a metric attribute.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		k = KindUnknown
	}
	return kindNames[k]
}

// Error is the failure of one call. Every field is safe to log and to show.
type Error struct {
	Op     string // what was being done, e.g. "requesting a token"
	Host   string // host and port asked
	Kind   Kind
	Status int    // HTTP status; 0 if there was no reply
	Code   string // machine code from a JSON error body, at most 64 of [A-Za-z0-9_.-]; often empty
	What   string // what happened, in this project's words
	Hint   string // what the user can do about it; may be empty

	// Description is what a token service says in error_description, cleaned and at most 200 characters; see WithDescription.
	Description string

	// Unanswered says of a KindNetwork that the server cut a new TLS connection without a word. With TLS 1.3 this is how some
	// refuse a client certificate.
	Unanswered bool

	RetryAfter    time.Duration // how long the server asked to wait, at most MaxRetryAfter
	HasRetryAfter bool          // whether it asked

	cause error // a context or deadline error or nil, so that errors.Is works and nothing else comes out
}

// Error returns "<op>: <host>: <what> (HTTP 503, code <code>, described as "…"): <hint>", leaving out what is not known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	if e.Host != "" {
		b.WriteString(e.Host)
		b.WriteString(": ")
	}
	b.WriteString(e.What)
	var notes []string
	if e.Status != 0 {
		notes = append(notes, "HTTP "+strconv.Itoa(e.Status))
	}
	if e.Code != "" {
		notes = append(notes, "code "+e.Code)
	}
	if e.Description != "" {
		notes = append(notes, "described as "+strconv.Quote(e.Description))
	}
	if e.HasRetryAfter {
		notes = append(notes, "retry after "+e.RetryAfter.String())
	}
	if len(notes) > 0 {
		b.WriteString(" (" + strings.Join(notes, ", ") + ")")
	}
	if e.Hint != "" {
		b.WriteString(": ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap returns context.Canceled, context.DeadlineExceeded, os.ErrDeadlineExceeded or nil, never a lower layer's error,
// whose text may hold a URL.
func (e *Error) Unwrap() error { return e.cause }

// Timeout reports whether waiting ended the call, as net.Error does.
func (e *Error) Timeout() bool { return e.Kind == KindTimeout }

// KindOf returns the kind of the first *Error in err's tree. A bare context error counts as KindCanceled or KindTimeout,
// nil and everything else as KindUnknown.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled):
		return KindCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return KindTimeout
	}
	return KindUnknown
}
