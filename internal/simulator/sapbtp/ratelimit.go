// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"sync"
	"time"
)

// bucket is the rate limit of one subaccount. It remembers the moment at which the last admitted request has its turn.
type bucket struct {
	mu   sync.Mutex
	next time.Time
}

// take admits a request and says how long it waits in the queue, or refuses it and says after how long the queue has room.
func (b *bucket) take(now time.Time, limit RateLimit) (time.Duration, bool) {
	if limit.PerSecond <= 0 {
		return 0, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	gap := time.Duration(float64(time.Second) / limit.PerSecond)
	if b.next.Before(now) {
		b.next = now
	}
	wait := b.next.Sub(now)
	if room := gap * time.Duration(max(limit.Burst, 1)); wait > room {
		return wait - room, false
	}
	b.next = b.next.Add(gap)
	return wait, true
}

// peak keeps the greatest number of requests within any one second.
type peak struct {
	recent []time.Time
	most   int
}

func (p *peak) add(now time.Time) {
	drop := 0
	for drop < len(p.recent) && now.Sub(p.recent[drop]) >= time.Second {
		drop++
	}
	p.recent = append(p.recent[drop:], now)
	p.most = max(p.most, len(p.recent))
}
