// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// handshake watches one call's connection. A server that wants a client certificate may just reset the connection during
// the handshake, and only the trace tells that reset from any other. With TLS 1.3 the handshake is over for this side before
// the server has seen the certificate, so the reset comes right after it.
type handshake struct {
	broken, connected, secured, reused, answered atomic.Bool

	asked atomic.Value // host and port to which the connection was to go, a proxy's if there is one
}

func (h *handshake) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(address string) { h.asked.Store(address) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			h.broken.Store(err != nil)
			h.secured.Store(err == nil)
		},
		GotConn: func(got httptrace.GotConnInfo) {
			h.connected.Store(true)
			h.reused.Store(got.Reused)
		},
		GotFirstResponseByte: func() { h.answered.Store(true) },
	})
}

// unanswered reports whether the server cut a new TLS connection before it said anything.
func (h *handshake) unanswered(err error) bool {
	return cut(err) && h.secured.Load() && !h.reused.Load() && !h.answered.Load()
}

// proxy returns the proxy through which u was asked, see proxyOf.
func (h *handshake) proxy(u *url.URL) string {
	asked, _ := h.asked.Load().(string)
	return proxyOf(asked, u)
}

func (h *handshake) failed() bool { return h.broken.Load() && !h.connected.Load() }

// transportError explains a call that got no reply.
func transportError(ctx context.Context, op string, u *url.URL, err error, hs *handshake) *Error {
	e := &Error{Op: op, Host: u.Host}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its own text is the whole URL
	}
	if interrupted(ctx, e, err) {
		return e
	}

	var dns *net.DNSError
	switch {
	case explainTLS(e, err, hs.failed()):
	case explainProxy(e, err, hs.proxy(u)):
	case errors.As(err, &dns):
		e.Kind, e.What = KindNetwork, "the name "+strconv.Quote(dns.Name)+" cannot be resolved"
		e.Hint = "check the host name in the configured address, and this machine's DNS or proxy"
	case againstProtocol(err):
		e.Kind, e.What = KindProtocol, "the reply is not valid HTTP"
		e.Hint = "check that the address and port are those of the API, and what a proxy in between does"
	default:
		e.Kind, e.What = KindNetwork, reason(err)
		if cut(err) {
			e.Hint = "if it happens every time, the server may want a client certificate"
		}
	}
	return e
}

// bodyError explains a 2xx reply whose body did not come to its end.
func bodyError(ctx context.Context, op, host string, status int, err error) *Error {
	e := &Error{Op: op, Host: host, Status: status}
	if !interrupted(ctx, e, err) {
		e.Kind, e.What = KindBrokenBody, "the reply broke off or is damaged"
	}
	return e
}

func tooLargeError(op, host string, status int, limit int64) *Error {
	return &Error{
		Op: op, Host: host, Status: status, Kind: KindTooLarge,
		What: "the reply is larger than " + strconv.FormatInt(limit, 10) + " bytes",
	}
}

// interrupted fills e if the call ended because its context ended or its time ran out.
func interrupted(ctx context.Context, e *Error, err error) bool {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Kind, e.What, e.cause = KindCanceled, "canceled", context.Canceled
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		e.Kind, e.What, e.cause = KindTimeout, "timed out", context.DeadlineExceeded
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Kind, e.What, e.cause = KindTimeout, "timed out", os.ErrDeadlineExceeded
	default:
		return false
	}
	return true
}

// againstProtocol recognises the complaints of net/http about a reply's form, most of which have no type. The text is only
// looked at, never shown.
func againstProtocol(err error) bool {
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return true
	}
	text := err.Error()
	for _, mark := range []string{
		"malformed ", "response headers exceeded", "header list larger", "transfer encoding", "Content-Length", "Location header",
	} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return false
}

// reason names the well-known ways in which a connection fails. Other texts stay inside: they may come from an
// authenticator or a proxy and quote anything.
func reason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case cut(err):
		return "the server closed the connection without a reply"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the host"
	}
	return "the request failed before a reply came"
}

// cut reports whether the other side ended the connection.
func cut(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.HasSuffix(err.Error(), http2Unestablished)
}

// http2Unestablished is all that net/http says of a new HTTP/2 connection that ended before a request could be sent on it. The reason is
// not wrapped, and the error has no name.
const http2Unestablished = "http2: client conn could not be established"
