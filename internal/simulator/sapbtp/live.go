// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"context"
	"sync"
	"time"
)

// Live is traffic: records that come into being as time goes on, spread evenly over the subaccounts. Each Tick makes
// what happened since the one before; Run and Begin are for who has no clock of his own.
type Live struct {
	sim  *Simulator
	rate float64

	mu    sync.Mutex
	last  time.Time
	carry float64 // of a record
	turn  int
}

// Live makes traffic of so many records per second, all subaccounts together, that begins now.
func (s *Simulator) Live(perSecond float64) *Live {
	return &Live{sim: s, rate: perSecond, last: s.now()}
}

// Tick makes the records of the time since the last Tick and returns their number. A time that is not after the last one
// makes none.
func (l *Live) Tick(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	span := now.Sub(l.last)
	if span <= 0 {
		return 0
	}
	due := l.carry + l.rate*span.Seconds()
	n := int(due)
	l.carry = due - float64(n)
	from := l.last
	l.last = now
	count := len(l.sim.tenants)
	each, rest := n/count, n%count
	for i := range count {
		share := each
		if (i+count-l.turn)%count < rest {
			share++
		}
		l.sim.Generate(l.sim.tenants[i].id, share, from, now)
	}
	l.turn = (l.turn + rest) % count
	return n
}

// Run ticks at an interval until ctx ends.
func (l *Live) Run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			l.Tick(now)
		}
	}
}

// Begin runs the traffic in the background. It returns what ends it, which may be called again; after that no record is made.
func (l *Live) Begin(interval time.Duration) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx, interval) })
	return func() {
		cancel()
		running.Wait()
	}
}
