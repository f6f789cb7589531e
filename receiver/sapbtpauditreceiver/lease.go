// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// lendAfter is how long an answer may take to begin, and then to come, before the place of its page is lent to others.
const lendAfter = 2 * time.Second

// lease is the place that one page takes. It is taken when its request may be sent, not while that waits for its turn
// under the rate limit, and freed when the page is delivered or given up. It is lent while an answer does not come, which
// costs no memory: however many subaccounts are slow, the others find room.
type lease struct {
	from gate

	mu      sync.Mutex
	in      gate // where it has a place; nil while it has none
	waiting bool // for an answer to begin
}

type leaseKey struct{}

// take waits for a place, unless it has one.
func (l *lease) take(ctx context.Context) error { return l.takeIn(ctx, l.from) }

// takeIn is for one goroutine at a time.
func (l *lease) takeIn(ctx context.Context, g gate) error {
	l.mu.Lock()
	held := l.in != nil
	l.mu.Unlock()
	if held {
		return nil
	}
	if err := g.enter(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in = g
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
	if l.in != nil {
		l.in.leave()
		l.in = nil
	}
}

func (l *lease) await(waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = waiting
}

// lending lends the place of a page until its answer begins, and again if that comes slowly.
type lending struct {
	next http.RoundTripper
	slow gate // the places of pages whose answers come slowly
}

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
	resp.Body = newLentBody(req.Context(), resp.Body, l, t.slow)
	return resp, nil
}
