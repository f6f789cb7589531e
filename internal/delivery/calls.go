// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
)

// slowCall is how long a call of the consumer may be under way before that is trouble: an exporter that retries for ever says
// nothing while its backend is down.
const slowCall = time.Minute

var errSlow = errors.New("the next component has not returned for more than a minute; log records wait for it, the exporter's log says why")

// calls watches the calls of the consumer that are under way, and joins what it sees with what health says.
type calls struct {
	logger    *zap.Logger
	onProblem func(error)

	mu      sync.Mutex
	running map[*call]struct{}
	slow    int       // of those running
	since   time.Time // when the first of the slow ones began
	refused error     // the problem of health
	told    error
}

type call struct {
	began time.Time
	slow  bool
}

// begin notes that the consumer is called, and returns what notes its return.
func (c *calls) begin() (end func()) {
	this := &call{began: time.Now()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		c.running = map[*call]struct{}{}
	}
	c.running[this] = struct{}{}
	timer := time.AfterFunc(slowCall, func() { c.slowed(this) })
	return func() {
		timer.Stop()
		c.ended(this)
	}
}

func (c *calls) slowed(this *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, running := c.running[this]; !running {
		return
	}
	this.slow = true
	c.slow++
	if c.slow > 1 {
		return
	}
	c.since = this.began
	c.logger.Warn("The next component does not return; log records are kept and wait for it",
		zap.Stringer("for", time.Since(c.since).Round(time.Millisecond)))
	c.tell()
}

func (c *calls) ended(this *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, this)
	if !this.slow {
		return
	}
	c.slow--
	if c.slow > 0 {
		return
	}
	c.logger.Info("The next component returns again", zap.Stringer("after", time.Since(c.since).Round(time.Millisecond)))
	c.tell()
}

// refusal takes in what health says.
func (c *calls) refusal(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = err
	c.tell()
}

// tell passes on what is wrong, on change. It runs under the lock, so that changes arrive in their order.
func (c *calls) tell() {
	var slow error
	if c.slow > 0 {
		slow = errSlow
	}
	now := cmp.Or(c.refused, slow)
	if now == c.told { //nolint:errorlint // the same error, not one of its kind
		return
	}
	c.told = now
	c.onProblem(now)
}

// oldest is how long the oldest call has been under way, 0 if none is.
func (c *calls) oldest() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := time.Duration(0)
	for running := range c.running {
		age = max(age, time.Since(running.began))
	}
	return age
}

// Pending returns how long the oldest call of the consumer has been under way, 0 if none is.
func (d *Deliverer) Pending() time.Duration { return d.calls.oldest() }
