// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"time"

	"go.uber.org/zap"
)

const (
	// riskAfter is when the danger of expiry becomes a status: 40 minutes before the first event is gone.
	riskAfter = 20 * time.Minute
	riskCheck = 15 * time.Second
)

// expiryRisk is how old the oldest unread event can be, as far as the API lets one know: see pace.
func (e *engine) expiryRisk() time.Duration {
	return e.clock.now().Sub(e.reading.progress().CaughtUpAt)
}

// oldestAge is how long the oldest reply in the spool has waited; 0 if there is none.
func (e *engine) oldestAge() time.Duration {
	oldest := e.spool.Stats().Oldest
	if oldest.IsZero() {
		return 0
	}
	return max(0, e.clock.now().Sub(oldest.Round(0))) // the process has not counted the time in which the machine slept
}

// watchExpiry raises the status when unread events come near to their expiry, whatever keeps reading from catching up.
func (e *engine) watchExpiry(ctx context.Context) {
	warned := false
	for sleep(ctx, riskCheck) == nil {
		e.reportSpool()
		risk := e.expiryRisk()
		switch {
		case risk < riskAfter:
			e.status.Set(causeExpiry, nil)
			warned = false
			continue
		case risk < expiry:
			e.status.Set(causeExpiry, errExpiryNear)
		default:
			e.status.Set(causeExpiry, errExpired)
		}
		if !warned {
			warned = true
			e.logger.Error("Reading has not caught up for long: events that are not read within an hour are deleted by the vendor",
				zap.Stringer("behind", risk.Round(time.Second)))
		}
	}
}
