// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// Pauses before a segment that could not be read is tried again. Others are read meanwhile.
const (
	minTrouble = 100 * time.Millisecond
	maxTrouble = 30 * time.Second
)

// trouble is why a segment is not read now.
type trouble struct {
	err   error
	pause time.Duration
	until time.Time
}

func (t *trouble) waits() bool { return t.err != nil && time.Now().Before(t.until) }

// troubled sets a segment aside for a while. Its entries stay where they are.
func (s *Spool) troubled(seg *segment, err error) {
	t := &seg.trouble
	if t.err == nil {
		s.logger.Error("A segment of the spool cannot be read; it is tried again, and others are delivered meanwhile",
			zap.Int("segment", seg.slot), zap.Int("entries", seg.entries), zap.Error(err))
	}
	t.err = err
	t.pause = min(max(2*t.pause, minTrouble), maxTrouble)
	t.until = time.Now().Add(t.pause)
	s.publish()
}

func (s *Spool) untroubled(seg *segment) {
	if seg.trouble.err == nil {
		return
	}
	seg.trouble = trouble{}
	s.logger.Info("A segment of the spool can be read again", zap.Int("segment", seg.slot))
	s.publish()
}

// wait returns when something has changed or a troubled segment is due.
func wait(ctx context.Context, changed <-chan struct{}, due time.Time) {
	var timeout <-chan time.Time
	if !due.IsZero() {
		timer := time.NewTimer(time.Until(due))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timeout:
	}
}

// due is when the next troubled segment is to be tried, zero if there is none. The caller holds the lock.
func (s *Spool) due() time.Time {
	var due time.Time
	for _, seg := range s.segments {
		if seg.trouble.err != nil && (due.IsZero() || seg.trouble.until.Before(due)) {
			due = seg.trouble.until
		}
	}
	return due
}
