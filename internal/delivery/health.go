// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

var errNoQuarantine = errors.New("there is no quarantine")

// trouble grades what is wrong; it only rises until all is well again, so that concurrent calls with different errors do not
// make the status flicker.
type trouble int

const (
	healthy trouble = iota
	refusing
	stuck // a record is poison, but the quarantine cannot take it
)

// health is what operators hear of all Deliver calls together.
type health struct {
	logger    *zap.Logger
	onProblem func(error)

	mu       sync.Mutex
	trouble  trouble
	since    time.Time
	failing  int           // calls that have failed and not ended
	interval time.Duration // longest pause that was logged
}

// failed notes that an offer of everything pending in b has failed.
func (h *health) failed(b *batch, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !b.failing {
		b.failing = true
		h.failing++
	}
	if h.trouble == healthy {
		h.trouble = refusing
		h.since = time.Now()
		h.interval = 0
		h.onProblem(err)
	}
}

// waiting logs why b is retried: the first time, and each time that retries become rarer.
func (h *health) waiting(b *batch, pause time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.backoff.interval <= h.interval {
		return
	}
	h.interval = b.backoff.interval
	h.logger.Warn("Log records are not accepted; they are kept and retried",
		zap.Int("records", b.left()),
		zap.Error(b.last),
		zap.Stringer("retry_in", pause),
		zap.Stringer("for", time.Since(h.since).Round(time.Millisecond)))
}

// stuck notes that the quarantine does not take a record that belongs there.
func (h *health) stuck(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.trouble >= stuck {
		return
	}
	h.trouble = stuck
	err = fmt.Errorf("a refused log record cannot be put into the quarantine, and so holds up the others: %w", err)
	h.logger.Warn("The quarantine takes no log record; the refused ones are kept and retried", zap.Error(err))
	h.onProblem(err)
}

// ended notes the end of a Deliver call. All is well once one has succeeded and no other is failing.
func (h *health) ended(b *batch, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.failing {
		h.failing--
	}
	if err != nil || h.failing > 0 || h.trouble == healthy {
		return
	}
	h.trouble = healthy
	h.logger.Info("Log records are accepted again", zap.Stringer("after", time.Since(h.since).Round(time.Millisecond)))
	h.onProblem(nil)
}
