// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

const (
	pathToken  = "/oauth/token" //nolint:gosec // a path
	pathBulk   = "/api/v1/log_events_bulk"
	pathSingle = "/api/v1/log_events"
)

// serveRead plays both reads. The ledger is complete before the first byte
// goes out, so that a client which has seen a reply finds it there.
func (s *Simulator) serveRead(w http.ResponseWriter, r *http.Request) {
	rd := s.openRead(r)
	if f, name := s.drawFault(r, true); name != "" {
		s.finish(rd, f.status(), OutcomeRefused, name, 0)
		refuse(w, r, f)
		return
	}
	if status := s.authorizeRead(r); status != 0 {
		s.finish(rd, status, OutcomeRefused, "", 0)
		refuse(w, r, Fault{Status: status})
		return
	}
	shape := s.shape(r.URL.Path)
	taken, here := s.take(r.Context(), rd, s.limit(r, shape))
	switch {
	case !here:
		s.finish(rd, 0, OutcomeLeft, "", 0)
		cut(w)
	case len(taken) == 0:
		s.serveEmpty(w, rd)
	default:
		s.serveEvents(w, r, rd, shape, taken)
	}
}

func (s *Simulator) authorizeRead(r *http.Request) int {
	if r.Method != http.MethodGet {
		return http.StatusMethodNotAllowed
	}
	return s.authorize(r)
}

// limit is the largest number of events the reply may hold.
func (s *Simulator) limit(r *http.Request, shape Shape) int {
	if shape == ShapeSingle {
		return 1
	}
	n := MaxBatch
	if size, err := strconv.Atoi(r.URL.Query().Get("size")); err == nil && s.opts.HonorSize && size > 0 {
		n = min(n, size)
	}
	if s.opts.ShortReplies > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.random.Float64() < s.opts.ShortReplies {
			n = 1 + s.random.IntN(n)
		}
	}
	return n
}

// take waits for events as long as the options say and removes up to n. It
// reports whether the client is still there, as far as the server notices; if
// not, nothing was removed.
func (s *Simulator) take(ctx context.Context, rd *read, n int) ([]int64, bool) {
	if s.opts.Deaf {
		ctx = context.WithoutCancel(ctx)
	}
	if !sleep(ctx, s.opts.Latency) {
		return nil, false
	}
	timeout := time.NewTimer(s.opts.LongPoll)
	defer timeout.Stop()
	for waiting := s.opts.LongPoll > 0; ; {
		arrived := s.tryTake(rd, n)
		if len(rd.Dequeued) > 0 || !waiting {
			return rd.Dequeued, true
		}
		select {
		case <-arrived:
		case <-timeout.C:
			waiting = false
		case <-ctx.Done():
			return nil, false
		}
	}
}

// tryTake removes up to n events for the read. If there are none, the channel
// tells when some arrive.
func (s *Simulator) tryTake(rd *read, n int) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.expire(time.Now())
	rd.Dequeued = s.queue.take(n)
	return s.arrived
}

func (s *Simulator) serveEmpty(w http.ResponseWriter, rd *read) {
	empty := s.opts.Empty
	if empty == EmptyMixed {
		s.mu.Lock()
		empty = []Empty{EmptyStatus, EmptyEvents, EmptyList, EmptyBody}[s.random.IntN(4)]
		s.mu.Unlock()
	}
	status := http.StatusOK
	if empty == EmptyStatus {
		status = http.StatusNoContent
	}
	s.finish(rd, status, OutcomeEmpty, "", 0)
	setHeaders(w)
	w.WriteHeader(status)
	switch empty {
	case EmptyEvents:
		write(w, []byte(`{"events":[]}`))
	case EmptyList:
		write(w, []byte(`[]`))
	}
}

func (s *Simulator) serveEvents(w http.ResponseWriter, r *http.Request, rd *read, shape Shape, taken []int64) {
	f, name := s.drawFault(r, false)
	rep := s.compose(shape, taken)
	rep.spoil(f, acceptsGzip(r))
	end := rep.end(f, s)
	if f.Reset == ResetAfter {
		s.finish(rd, 0, OutcomeBroken, name, 0)
		cut(w)
		return
	}
	if !sleep(r.Context(), f.Delay) {
		s.finish(rd, 0, OutcomeBroken, name, 0)
		cut(w)
		return
	}
	sent, outcome := rep.whole(end), OutcomeServed
	switch {
	case end < len(rep.body):
		outcome = OutcomeBroken
	case sent < len(taken):
		outcome = OutcomeSpoiled
	}
	s.finish(rd, http.StatusOK, outcome, name, sent)
	if !rep.write(w, r, f, end) {
		// How much of it arrived is not known, so nothing counts as sent.
		s.finish(rd, http.StatusOK, OutcomeBroken, name, 0)
		cut(w)
	}
	if end < len(rep.body) {
		panic(http.ErrAbortHandler) // closes the connection in the middle of the body
	}
}
