// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"sync"
	"time"
)

// Live is traffic: records that come into being as time goes on, spread evenly over the subaccounts. It has no clock of its
// own; each Tick makes what happened since the one before.
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
