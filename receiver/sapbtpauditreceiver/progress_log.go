// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/seen"
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
		s.logger.Info("Catching up with the audit log", append(labels(s), zap.Stringer("behind", behind))...)
		return
	}
	if behind < max(catchUpSpan, 2*s.cfg.PollInterval) {
		s.logger.Info("Caught up with the audit log", append(labels(s), zap.Stringer("took", time.Since(m.started).Round(time.Second)))...)
		*m = milestone{}
		return
	}
	done := m.total - behind
	if tenths := int(10 * done / m.total); tenths > m.tenths {
		m.tenths = tenths
		left := time.Duration(float64(time.Since(m.started)) / float64(done) * float64(behind))
		s.logger.Info("Catching up with the audit log", append(labels(s),
			zap.Int("percent", 10*tenths), zap.Stringer("behind", behind), zap.Stringer("left", left.Round(time.Second)))...)
	}
}

// observeForgotten tells of events whose delivery is no longer known, when it begins.
func (s *subaccount) observeForgotten() {
	before, now := s.forgotten, s.seen.Stats()
	s.forgotten = now
	if now.Corrupt > before.Corrupt {
		s.logger.Warn("Ids of delivered events are damaged in the storage; some events are delivered again, with the same log.record.uid",
			append(labels(s), zap.Int("chunks", now.Corrupt-before.Corrupt))...)
	}
	evicting := now.Evicted > before.Evicted
	if evicting && !s.evicting {
		s.logger.Warn("Too many ids of delivered events to remember all; some events may be delivered again, with the same log.record.uid. "+
			"A shorter last sweep needs fewer", append(labels(s), zap.Int("limit", seen.DefaultLimit))...)
	}
	s.evicting = evicting
}
