// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"io"
	"net/http"
	"sync"
)

// bounded sends no more requests at a time than its gate has places. Pages do not bound them, as their places are lent. A
// request counts until its answer's body is closed: so long it has a connection, and memory for what has come.
type bounded struct {
	next http.RoundTripper
	gate gate
}

// RoundTrip implements http.RoundTripper.
func (t bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.gate.enter(req.Context()); err != nil {
		return nil, err
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		t.gate.leave()
		return nil, err
	}
	resp.Body = &countedBody{ReadCloser: resp.Body, leave: sync.OnceFunc(t.gate.leave)}
	return resp, nil
}

type countedBody struct {
	io.ReadCloser
	leave func()
}

// Close implements io.Closer.
func (b *countedBody) Close() error {
	defer b.leave()
	return b.ReadCloser.Close()
}
