// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import "context"

// What all subaccounts together have under way is bounded, however many they are and however slow the backend is.
const (
	// maxPages is the number of pages, from the request to the delivery, and so of the memory that they take.
	maxPages = 40
	// maxSlowPages is the number of further pages whose answers are large and come slowly.
	maxSlowPages = 20
	// maxRequests is the number of requests, for pages and for tokens, and so of the connections that are in use. It has to be
	// well above maxPages, because subaccounts whose answers are slow use it up.
	maxRequests = 256
)

// gate lets a limited number through at a time. Unlike a mutex it gives way to the end of a context, which matters because
// who is inside may wait for a backend for hours.
type gate chan struct{}

func newGate(n int) gate { return make(gate, n) }

func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tryEnter enters if that needs no waiting.
func (g gate) tryEnter() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g gate) leave() { <-g }

// admit lets a request of the audit log API be sent: within the rate limit, and when there is room for its page.
func (s *subaccount) admit(ctx context.Context) error {
	if err := s.pace.wait(ctx); err != nil {
		return err
	}
	if l, ok := ctx.Value(leaseKey{}).(*lease); ok {
		return l.take(ctx)
	}
	return nil
}

// readers is how many windows of one subaccount are read in parallel: as configured, but so that all subaccounts together
// do not ask for more than there is room for.
func (t *term) readers() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(1, min(t.cfg.Concurrency, maxPages/(2*max(1, len(t.subaccounts)))))
}
