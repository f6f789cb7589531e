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

var (
	errNoQuarantine = errors.New("there is no quarantine")
	errHeld         = errors.New("single log records are refused while others are accepted; they are kept and offered again, the exporter's log says why")
)

// trouble grades what is wrong.
type trouble int

const (
	healthy trouble = iota
	partly          // single records are refused, and wait
	refusing
	stuck // a record is poison, but the quarantine cannot take it
)

// tellHeldEvery is how rarely the log says that single records are refused: a backend with one bad node refuses one again and again.
const tellHeldEvery = time.Hour

// health is what operators hear of all Deliver calls together. While calls fail the trouble only rises, so that concurrent ones
// with different errors do not make the status flicker.
type health struct {
	logger    *zap.Logger
	onProblem func(error)

	mu       sync.Mutex
	trouble  trouble
	since    time.Time
	failing  int           // calls that have failed and not ended
	interval time.Duration // longest pause that was logged
	told     bool          // the log says that records are not accepted
	toldHeld time.Time     // when it last said that single ones are not
	full     error         // why the quarantine takes nothing
}

// failed notes that an offer of what is not suspected in b has failed.
func (h *health) failed(b *batch, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !b.failing {
		b.failing = true
		h.failing++
	}
	if h.trouble < refusing {
		h.trouble = refusing
		h.since = time.Now()
		h.interval, h.told = 0, false
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
	h.interval, h.told = b.backoff.interval, true
	h.logger.Warn("Log records are not accepted; they are kept and retried",
		zap.Int("records", b.left().LogRecordCount()),
		zap.Error(b.last),
		zap.Stringer("retry_in", pause),
		zap.Stringer("for", time.Since(h.since).Round(time.Millisecond)))
}

// quarantine notes why the quarantine does not take a record that belongs there, or, with nil, that n were taken.
func (h *health) quarantine(err error, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		if n > 0 {
			h.full = nil
		}
		return
	}
	if h.full != nil {
		return
	}
	h.full = fmt.Errorf("a refused log record cannot be put into the quarantine: %w", err)
	h.trouble = stuck
	h.logger.Warn("The quarantine takes no log record; the refused ones are kept and retried", zap.Error(h.full))
	h.onProblem(h.full)
}

// ended notes the end of a Deliver call, with so many records refused while others are accepted. All is well once one has succeeded, or got others
// accepted, and no other is failing.
func (h *health) ended(b *batch, err error, suspected int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.failing {
		h.failing--
	}
	if suspected == 0 {
		h.full = nil
	}
	switch {
	case err == nil, errors.Is(err, ErrRefusedAlone) && b.othersAccepted():
	case errors.Is(err, ErrRefusedAlone) && !b.failing && h.trouble < refusing: // nothing but those refused before
	default:
		h.gaveUp(b, err)
		return
	}
	if h.failing > 0 {
		return
	}
	now := healthy
	switch {
	case h.full != nil:
		now = stuck
	case suspected > 0:
		now = partly
	}
	h.change(b, now)
}

// gaveUp tells of a call that ended without a word before, once.
func (h *health) gaveUp(b *batch, err error) {
	if h.trouble == refusing && !h.told && b.last != nil && (errors.Is(err, ErrGaveUp) || errors.Is(err, ErrRefusedAlone)) {
		h.told = true
		h.logger.Warn("Log records are not accepted; they are kept and offered again", zap.Error(b.last))
	}
}

func (h *health) change(b *batch, now trouble) {
	before := h.trouble
	if before == now {
		return
	}
	h.trouble = now
	if before == refusing {
		h.logger.Info("Log records are accepted again", zap.Stringer("after", time.Since(h.since).Round(time.Millisecond)))
	}
	switch now {
	case partly:
		if h.toldHeld.IsZero() || time.Since(h.toldHeld) >= tellHeldEvery {
			h.toldHeld = time.Now()
			h.logger.Warn("Log records are refused while others are accepted; they are kept and offered again", zap.Error(b.last))
		}
		h.onProblem(errHeld)
	case stuck:
		h.onProblem(h.full)
	case healthy:
		h.onProblem(nil)
	case refusing: // said by failed
	}
}
