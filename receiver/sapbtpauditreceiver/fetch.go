// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
)

const (
	// pageTries is how often a page is asked for before its window gives way to the others. A window that did so before has
	// one try.
	pageTries = 5
	// throttleTries is the same for answers 429, which say nothing about the page.
	throttleTries    = 8
	firstPageBackoff = 500 * time.Millisecond
)

// fetch asks for the window's next page until it has it. What may pass by itself is tried again here, the same page each
// time; what only another window or a pause can cure is returned, as an anomaly of the window or as an error of the
// subaccount.
func (s *subaccount) fetch(ctx context.Context, w *window) (*page, error) {
	backoff := firstPageBackoff
	throttles, restarts := 0, 0
	for try := 1; ; {
		p, err := s.request(ctx, w)
		if err == nil {
			s.pace.served()
			s.heldBack(nil)
			return p, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		switch kind := httpcall.KindOf(err); {
		case errors.Is(err, auditlog.ErrToken): // the token source has tried as often as SAP advises
			return nil, err
		case errors.Is(err, auditlog.ErrCategoryFilter) && !w.unfiltered:
			if !s.filterHere.Swap(true) {
				s.logger.Info("The API does not filter by category for this subaccount; filtering in the receiver", labels(s)...)
			}
			return nil, &anomaly{reason: reasonCategories, err: err}
		case errors.Is(err, auditlog.ErrHandle):
			return nil, &anomaly{reason: reasonHandle, err: err}
		case w.salvage && (kind == httpcall.KindTooLarge || kind == httpcall.KindProtocol):
			return &page{broken: err}, nil
		case kind == httpcall.KindTooLarge:
			return nil, &anomaly{reason: reasonTooLarge, err: err}
		case kind == httpcall.KindThrottled:
			s.throttled(err)
			if throttles++; throttles >= throttleTries {
				return nil, err
			}
			continue
		case kind == httpcall.KindTimeout: // each costs the whole timeout
			s.size.failed()
			try += 2
		case kind == httpcall.KindServer:
			s.size.failed()
			if !w.again { // a window that was set aside must not hold the others up
				s.throttled(err) // a 503 may say for how long
			}
		case kind == httpcall.KindNetwork || kind == httpcall.KindBrokenBody:
		case kind == httpcall.KindProtocol || errors.Is(err, record.ErrNotAPage):
			// Half a document or a proxy's page may be a passing fault; one that stays is the window's.
			if restarts++; restarts >= 3 || w.tries > 0 {
				return nil, &anomaly{reason: reasonMalformed, err: err}
			}
		case kind == httpcall.KindClient: // SAP names no longest range; this may be one too long
			s.size.refused(w.span.Len())
			return nil, err
		default: // credentials, rights, redirects: waiting a second cures none of them
			return nil, err
		}
		if try++; try > pageTries || w.tries > 0 {
			return nil, err
		}
		if err := sleep(ctx, jittered(backoff)); err != nil {
			return nil, err
		}
		backoff *= 2
	}
}

// request makes one request and splits the answer. The page holds a lease until it is delivered.
func (s *subaccount) request(ctx context.Context, w *window) (p *page, err error) {
	room := &lease{from: s.pages}
	defer func() {
		if err != nil {
			room.free()
		}
	}()
	var categories []string
	if w.pages == 0 {
		w.unfiltered = s.filterHere.Load() || len(s.cfg.Categories) == 0
	}
	if !s.filterHere.Load() {
		categories = s.cfg.Categories
	}
	answer, err := s.connection.Load().api.Page(context.WithValue(ctx, leaseKey{}, room), w.query(categories))
	if err != nil {
		return nil, err
	}
	s.answers.Add(1)
	s.clock.observe(answer.Date)
	if w.pages == 0 {
		w.bound, w.byDate = s.clock.bound(w.bound, answer.Date)
	}
	if answer.Empty {
		return &page{next: answer.Next, lease: room}, nil
	}
	records, broken := record.Split(answer.Body)
	if broken != nil {
		s.notices.add("malformed")
		if !w.salvage {
			return nil, broken
		}
	}
	s.tel.read(len(records))
	return &page{records: records, next: answer.Next, broken: broken, lease: room}, nil
}

// throttled holds the subaccount's requests back for as long as the server wants.
func (s *subaccount) throttled(err error) {
	answer, ok := errors.AsType[*httpcall.Error](err)
	if !ok || answer.Kind != httpcall.KindThrottled && answer.RetryAfter <= 0 {
		return
	}
	s.pace.throttle(answer.RetryAfter, answer.HasRetryAfter)
	// Longer than any pause of the receiver's own, or no answer for long: nothing may arrive for hours, which must not look
	// like health.
	if s.pace.pause() > maxThrottlePause+maxThrottlePause/2 || s.pace.throttledFor() > maxThrottlePause {
		s.heldBack(err)
	}
}

// heldBack tells that the server wants to be left alone for long, and with nil that it has answered again. An answer to what
// was under way when the server said so ends nothing.
func (s *subaccount) heldBack(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == (err != nil) || err == nil && s.pace.pause() > 0 {
		return
	}
	s.held = err != nil
	s.status.Set(s.cause("throttled"), err)
	if err != nil {
		s.logger.Warn("The API wants to be left alone for long; reading waits", append(labels(s), zap.Error(err))...)
	}
}

func jittered(d time.Duration) time.Duration {
	return d/2 + time.Duration(rand.Int64N(int64(d)))
}
