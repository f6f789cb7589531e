// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"
)

const (
	contentTypeJSON = "application/json;charset=UTF-8"
	contentTypeHTML = "text/html"
	pageHTML        = "<html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>\n"
)

// setHeaders of the replies that come from the application itself.
func setHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", contentTypeJSON)
	h.Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
	h.Set("X-Application-Context", "public_api")
}

// status of a refusal, 0 for a cut connection.
func (f Fault) status() int {
	switch {
	case f.Reset == ResetBefore:
		return 0
	case f.Redirect != "":
		return http.StatusFound
	case f.Document == HTML:
		return http.StatusOK
	}
	return f.Status
}

// refuse answers without events.
func refuse(w http.ResponseWriter, r *http.Request, f Fault) {
	if !sleep(r.Context(), f.Delay) || f.Reset == ResetBefore {
		cut(w)
		return
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	status := f.status()
	switch {
	case f.Redirect != "":
		http.Redirect(w, r, f.Redirect, status)
	case status == http.StatusUnauthorized:
		writeJSON(w, status, unauthorized)
	case status >= http.StatusBadRequest && status < http.StatusInternalServerError:
		writeJSON(w, status, map[string]string{"error": "request_refused", "error_description": http.StatusText(status)})
	default:
		w.Header().Set("Content-Type", contentTypeHTML)
		w.WriteHeader(status)
		write(w, []byte(pageHTML))
	}
}

// cut ends the connection without an answer, where possible with a TCP reset.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only called with plain maps and structs
	}
	setHeaders(w)
	w.WriteHeader(status)
	write(w, body)
}

// write ignores errors: where it matters whether the client got the bytes,
// reply.write is used.
func write(w http.ResponseWriter, b []byte) { _, _ = w.Write(b) }

// sleep reports whether the context still lives afterwards.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
