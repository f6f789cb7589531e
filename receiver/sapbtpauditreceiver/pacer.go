// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Throttling without Retry-After is answered by pauses that double between these bounds.
const (
	minThrottlePause = time.Second
	maxThrottlePause = 2 * time.Minute
)

// earlier is how much sooner than those before it a request may reach the server without the server seeing more of them
// within a second than allowed.
const earlier = 20 * time.Millisecond

// pacer spaces all API requests of one subaccount, whichever activity makes them, and holds them all back while the
// server throttles. It has no burst, not even to make up for a request that was late: SAP counts per second, and its queue
// is a reserve and not an allowance.
type pacer struct {
	interval time.Duration
	turn     gate
	next     time.Time // when the next request may be sent; of whose turn it is

	mu        sync.Mutex
	notBefore time.Time
	throttled int       // answers 429 in a row
	since     time.Time // of the first of them
}

func newPacer(requestsPerSecond float64) *pacer {
	interval := min(float64(time.Second+earlier)/requestsPerSecond, float64(math.MaxInt64/2))
	return &pacer{interval: time.Duration(interval), turn: newGate(1)}
}

// wait blocks until the next request may be sent.
func (p *pacer) wait(ctx context.Context) error {
	if err := p.turn.enter(ctx); err != nil {
		return err
	}
	defer p.turn.leave()
	for {
		wait := max(time.Until(p.next), p.pause())
		if wait <= 0 {
			p.next = time.Now().Add(p.interval)
			return nil
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (p *pacer) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.notBefore)
}

// throttle holds all requests back after an answer 429, for as long as the server says or, where it says nothing, longer
// each time.
func (p *pacer) throttle(retryAfter time.Duration, said bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.throttled == 0 {
		p.since = time.Now()
	}
	p.throttled++
	if !said || retryAfter <= 0 {
		retryAfter = min(maxThrottlePause, minThrottlePause<<min(p.throttled-1, 10))
		retryAfter += time.Duration(rand.Int64N(int64(retryAfter)/2 + 1))
	}
	if until := time.Now().Add(retryAfter); until.After(p.notBefore) {
		p.notBefore = until
	}
}

// throttledFor is how long ago the server began to answer nothing but 429.
func (p *pacer) throttledFor() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.throttled == 0 {
		return 0
	}
	return time.Since(p.since)
}

// served forgets earlier throttling.
func (p *pacer) served() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.throttled = 0
}

// sleep waits for d or until ctx ends, and then returns its error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
