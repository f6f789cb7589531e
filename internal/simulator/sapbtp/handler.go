// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
)

// ServeHTTP answers API and UAA under one address, told apart by path.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, req *http.Request) { s.serve(doorFront, w, req) }

// at gives a handler for one door.
func (s *Simulator) at(d door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { s.serve(d, w, req) })
}

func (s *Simulator) serve(d door, w http.ResponseWriter, req *http.Request) {
	r := s.answer(d, req)
	if pause(req.Context(), r.delay) != nil {
		return
	}
	if r.reset {
		breakConnection(w)
		return
	}
	header := w.Header()
	maps.Copy(header, r.header)
	if r.header.Get("Date") == "" {
		header["Date"] = nil // otherwise net/http sets it
	}
	w.WriteHeader(r.status)
	body := r.reader()
	if r.cut >= 0 {
		body = io.LimitReader(body, r.cut)
	}
	if r.piece > 0 {
		body = &paced{ctx: req.Context(), from: body, piece: r.piece, pause: r.pause}
	}
	// A client that went away is its own business.
	_, _ = io.Copy(flushing{w, r.piece > 0}, body)
	if r.cut >= 0 {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// flushing sends every write at once where the body comes in pieces.
type flushing struct {
	w   http.ResponseWriter
	now bool
}

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if f.now && err == nil {
		err = http.NewResponseController(f.w).Flush()
	}
	return n, err
}

// breakConnection ends the connection with a reset, where the server allows that, else without an answer.
func breakConnection(w http.ResponseWriter) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	resetConn(conn)
}

// resetConn closes a connection so that the other side sees a reset.
func resetConn(conn net.Conn) {
	raw := conn
	if wrapped, ok := conn.(*tls.Conn); ok {
		raw = wrapped.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}
