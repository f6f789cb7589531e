// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"time"

	"go.uber.org/zap"
)

// catchUpSpan is how far behind reading must be to be worth telling of.
const catchUpSpan = 15 * time.Minute

// milestone follows a backfill, to log its progress at each tenth and its end.
type milestone struct {
	total   time.Duration // what there was to read when the backfill began; 0 while there is none
	started time.Time
	tenths  int
}

// observeProgress logs the beginning, each tenth and the end of a backfill, with the time it will still take.
func (s *subaccount) observeProgress() {
	behind := time.Duration(s.published.Load().Behind(s.clock.now()).Len()) * time.Second
	m := &s.milestone
	if m.total == 0 {
		if behind < max(catchUpSpan, 2*s.cfg.PollInterval) {
			return
		}
		*m = milestone{total: behind, started: time.Now()}
		s.logger.Info("Catching up with the audit log", append(labels(s), zap.Duration("behind", behind))...)
		return
	}
	if behind < max(catchUpSpan, 2*s.cfg.PollInterval) {
		s.logger.Info("Caught up with the audit log", append(labels(s), zap.Duration("took", time.Since(m.started)))...)
		*m = milestone{}
		return
	}
	done := m.total - behind
	if tenths := int(10 * done / m.total); tenths > m.tenths {
		m.tenths = tenths
		left := time.Duration(float64(time.Since(m.started)) / float64(done) * float64(behind))
		s.logger.Info("Catching up with the audit log", append(labels(s),
			zap.Int("percent", 10*tenths), zap.Duration("behind", behind), zap.Duration("left", left.Round(time.Second)))...)
	}
}
