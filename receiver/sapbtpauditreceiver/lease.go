// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// lendAfter is how long an answer may take before the place of its page is lent to others.
const lendAfter = 2 * time.Second

// lease is the place that one page takes. It is taken when its request may be sent, not while that waits for its turn
// under the rate limit, and freed when the page is delivered or given up. It is lent while an answer does not come, which
// costs no memory: however many subaccounts are slow, the others find room.
type lease struct {
	from gate

	mu      sync.Mutex
	held    bool
	waiting bool // for an answer
}

type leaseKey struct{}

// take is for one goroutine at a time.
func (l *lease) take(ctx context.Context) error {
	l.mu.Lock()
	held := l.held
	l.mu.Unlock()
	if held {
		return nil
	}
	if err := l.from.enter(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = true
	return nil
}

func (l *lease) free() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.giveBack()
}

func (l *lease) lend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting {
		l.giveBack()
	}
}

func (l *lease) giveBack() {
	if l.held {
		l.held = false
		l.from.leave()
	}
}

func (l *lease) await(waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = waiting
}

// lending lends the place of a page until its answer begins, and takes one again before the answer is read.
type lending struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t lending) RoundTrip(req *http.Request) (*http.Response, error) {
	l, ok := req.Context().Value(leaseKey{}).(*lease)
	if !ok {
		return t.next.RoundTrip(req)
	}
	l.await(true)
	timer := time.AfterFunc(lendAfter, l.lend)
	resp, err := t.next.RoundTrip(req)
	timer.Stop()
	l.await(false)
	if err != nil {
		return nil, err
	}
	if err := l.take(req.Context()); err != nil {
		_ = resp.Body.Close() // nobody will read it
		return nil, err
	}
	return resp, nil
}

// CloseIdleConnections is what http.Client looks for.
func (t lending) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
