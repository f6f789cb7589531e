// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// ElsewhereHost is a host that has nothing to do with SAP: where the redirects of the fault script lead to. Transport
// answers it like a server that takes everything, and the ledger calls every secret that arrives there a leak.
const ElsewhereHost = "elsewhere.example.com"

// TransportOption changes a transport.
type TransportOption func(*transport)

// WithClientCertificate shows a client certificate to the certificate hosts; get is asked anew for each request, and nil
// means none.
func WithClientCertificate(get func() *tls.Certificate) TransportOption {
	return func(t *transport) { t.certificate = get }
}

// Transport gives a way to the simulator without any socket. Every request is answered in the goroutine that makes it;
// delays honour its context. It knows the host names of the subaccounts and ElsewhereHost; other names do not resolve.
func (s *Simulator) Transport(options ...TransportOption) http.RoundTripper {
	t := &transport{sim: s, certificate: func() *tls.Certificate { return nil }}
	for _, o := range options {
		o(t)
	}
	return t
}

type transport struct {
	sim         *Simulator
	certificate func() *tls.Certificate
}

// RoundTrip answers one request.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	where, known := t.sim.doorOf(hostOnly(req.URL.Host))
	if !known {
		return nil, &net.DNSError{Err: "no such host", Name: hostOnly(req.URL.Host), IsNotFound: true}
	}
	served := req.Clone(ctx)
	if served.Host == "" {
		served.Host = req.URL.Host
	}
	if where == doorCert {
		state, err := t.handshake()
		if err != nil {
			return nil, err
		}
		served.TLS = state
	}
	inflate := req.Header.Get("Accept-Encoding") == ""
	if inflate {
		served.Header.Set("Accept-Encoding", "gzip") // as net/http does by itself
	}
	r := t.sim.answer(where, served)
	if err := pause(ctx, r.delay); err != nil {
		return nil, err
	}
	if r.reset {
		return nil, errReset()
	}
	return r.response(req, inflate), nil
}

// handshake plays the certificate host's side of TLS.
func (t *transport) handshake() (*tls.ConnectionState, error) {
	shown := t.certificate()
	if shown == nil || len(shown.Certificate) == 0 {
		return nil, errReset()
	}
	leaf, err := x509.ParseCertificate(shown.Certificate[0])
	if err != nil || t.sim.verify(leaf) != nil {
		return nil, &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}
	}
	return &tls.ConnectionState{HandshakeComplete: true, PeerCertificates: []*x509.Certificate{leaf}}, nil
}

// doorOf tells which part of the simulator answers a host name.
func (s *Simulator) doorOf(host string) (door, bool) {
	d, known := s.byHost[host]
	return d, known
}

// response puts a reply into the form in which net/http hands it over.
func (r *reply) response(req *http.Request, inflate bool) *http.Response {
	resp := &http.Response{
		Status: http.StatusText(r.status), StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, ContentLength: r.length, Request: req,
	}
	body := r.reader()
	if r.cut >= 0 {
		body = io.MultiReader(io.LimitReader(body, r.cut), broken{})
	}
	if r.piece > 0 {
		body = &paced{ctx: req.Context(), from: body, piece: r.piece, pause: r.pause}
	}
	if inflate && r.header.Get("Content-Encoding") == "gzip" {
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
		body = &inflated{from: body}
	}
	resp.Body = &wire{ctx: req.Context(), from: body}
	return resp
}

func (r *reply) reader() io.Reader {
	if r.stream != nil {
		return r.stream()
	}
	return bytes.NewReader(r.body)
}

// wire is a body that breaks off when the request's context ends.
type wire struct {
	ctx  context.Context
	from io.Reader
}

func (w *wire) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.from.Read(p)
}

func (*wire) Close() error { return nil }

// paced is a body that comes in pieces.
type paced struct {
	ctx   context.Context
	from  io.Reader
	piece int64
	pause time.Duration
}

func (p *paced) Read(buf []byte) (int, error) {
	if err := pause(p.ctx, p.pause); err != nil {
		return 0, err
	}
	return p.from.Read(buf[:min(int64(len(buf)), p.piece)])
}

// broken is the place where a connection breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// inflated opens the compressed body at the first read, as net/http does.
type inflated struct {
	from io.Reader
	zip  *gzip.Reader
}

func (i *inflated) Read(p []byte) (int, error) {
	if i.zip == nil {
		var err error
		if i.zip, err = gzip.NewReader(i.from); err != nil {
			return 0, err
		}
	}
	return i.zip.Read(p)
}

func errReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}
