// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"cmp"
	"context"
	"time"
)

// run reads the subaccount until ctx ends.
//
// This is the whole cycle; each step is one file:
//
//	plan     what is due, of all sweeps               internal/sweep
//	read     windows newest first, page by page       turn.go, window.go, fetch.go
//	deliver  what was not delivered before            deliver.go, internal/seen, internal/record
//	save     that it was delivered, then go on        deliver.go, checkpoint.go
func (s *subaccount) run(ctx context.Context) {
	s.checkCredentials(ctx)
	s.observeProgress()
	for ctx.Err() == nil {
		s.watchExpiry()
		wait := s.poll(ctx)
		s.observeProgress()
		s.observeForgotten()
		if s.rest(ctx, wait) != nil {
			return
		}
	}
}

// poll reads what is due, at most max_events_per_poll records of it, and says how long to wait before the next poll.
func (s *subaccount) poll(ctx context.Context) time.Duration {
	if err := s.keepTime(ctx); err != nil {
		return s.failed(ctx, err)
	}
	bound := s.clock.now()
	if err := s.announceExpired(ctx, bound); err != nil {
		return s.failed(ctx, err)
	}
	t := &turn{s: s, bound: bound, budget: s.cfg.MaxEventsPerPoll, agenda: s.due(bound)}
	if err := cmp.Or(t.run(ctx, time.Until(s.nextTick)), s.lateFailure()); err != nil {
		return s.failed(ctx, err)
	}
	s.succeeded()
	if t.more() {
		return 0
	}
	return s.untilNext()
}
