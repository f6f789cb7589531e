// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"math/bits"
	"sync"
	"time"
)

// How long a call in which nothing is accepted goes on before it gives back. Each one that does so while nothing at all is
// accepted makes it longer for the next, since it looks as if the backend was down: then there is no use in others' turns.
const (
	firstPatience   = time.Minute
	maxPatience     = time.Hour
	crowdedPatience = 4 * time.Minute // at most, while something waits for what the call holds
)

// patience is what calls that led nowhere leave to the next ones. It all ends when something is accepted.
type patience struct {
	mu        sync.Mutex
	mark      int64         // Deliverer.accepted at the end of the last of them
	fruitless int           // how many there were in a row
	interval  time.Duration // the pause between retries at its end
}

// begin gives the pause that a new call's retries begin with, 0 for the initial one, and how often taking apart led nowhere.
func (p *patience) begin(accepted int64) (time.Duration, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renew(accepted)
	return p.interval, min(p.fruitless, maxFruitless)
}

// limit is how long a call goes on.
func (p *patience) limit(accepted int64, crowded bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renew(accepted)
	longest := maxPatience
	if crowded {
		longest = crowdedPatience
	}
	return min(longest, firstPatience<<min(p.fruitless, 16))
}

// ended notes a call that led nowhere.
func (p *patience) ended(accepted int64, interval time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renew(accepted)
	p.fruitless++
	p.interval = max(p.interval, interval)
}

// chance reports whether a call that may not wait should take its records apart before it gives up.
func (p *patience) chance() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bits.OnesCount(uint(p.fruitless)) <= 1
}

func (p *patience) renew(accepted int64) {
	if accepted != p.mark {
		p.mark, p.fruitless, p.interval = accepted, 0, 0
	}
}
