// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Throttling without Retry-After is answered by pauses that double between these bounds.
const (
	minThrottlePause = time.Second
	maxThrottlePause = 2 * time.Minute
)

// pacer spaces all API requests of one subaccount, whichever activity makes them, and holds them all back while the
// server throttles. It has no burst: SAP counts per second, and its queue is a reserve and not an allowance.
type pacer struct {
	limiter *rate.Limiter

	mu        sync.Mutex
	notBefore time.Time
	throttled int // answers 429 in a row
}

func newPacer(requestsPerSecond float64) *pacer {
	return &pacer{limiter: rate.NewLimiter(rate.Limit(requestsPerSecond), 1)}
}

// wait blocks until the next request may be sent.
func (p *pacer) wait(ctx context.Context) error {
	for {
		if err := p.limiter.Wait(ctx); err != nil {
			return err
		}
		pause := p.pause()
		if pause <= 0 {
			return nil
		}
		if err := sleep(ctx, pause); err != nil {
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
	p.throttled++
	if !said || retryAfter <= 0 {
		retryAfter = min(maxThrottlePause, minThrottlePause<<min(p.throttled-1, 10))
		retryAfter += time.Duration(rand.Int64N(int64(retryAfter)/2 + 1))
	}
	if until := time.Now().Add(retryAfter); until.After(p.notBefore) {
		p.notBefore = until
	}
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
