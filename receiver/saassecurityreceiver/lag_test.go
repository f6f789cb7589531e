// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// A clock of the vendor that is wrong once must not hide that nothing arrives any more.
func TestTheLagIsThatOfEventsThatHaveHappened(t *testing.T) {
	for name, tc := range map[string]struct {
		ages   []time.Duration // of one batch
		lag    time.Duration   // an hour later
		future int
	}{
		"of the past":                     {[]time.Duration{2 * time.Hour, time.Hour}, 2 * time.Hour, 0},
		"one of the future":               {[]time.Duration{-100 * 24 * time.Hour, 10 * time.Minute}, 70 * time.Minute, 1},
		"as far off as clocks may differ": {[]time.Duration{-time.Minute, 10 * time.Minute}, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{})
				l := w.mustStart()
				time.Sleep(time.Minute)
				var events []string
				for _, age := range tc.ages {
					at := time.Now().Add(-age).UTC().Format(time.RFC3339)
					events = append(events, fmt.Sprintf(`{"log_type":"incident","timestamp":%q}`, at))
				}
				w.sim.EnqueueRaw(events...)
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Len(t, w.sink.uids, len(tc.ages))
				assert.InDelta(t, tc.lag.Seconds(), w.metric("saas_security_lag"), 60)
				assert.Equal(t, tc.future, w.metric("saas_security_events_odd", "reason", "future_time"))
				l.stop(t)
			})
		})
	}
}

func TestALagShowsAgainAfterABatchOfTheFuture(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		l := w.mustStart()
		w.sim.EnqueueRaw(`{"log_type":"incident","timestamp":"2099-01-01T00:00:00Z"}`)
		time.Sleep(time.Hour)
		assert.Zero(t, w.metric("saas_security_lag"), "nothing is known yet")
		at := time.Now().UTC().Format(time.RFC3339)
		w.sim.EnqueueRaw(`{"log_type":"incident","timestamp":"` + at + `"}`)
		time.Sleep(time.Hour)
		assert.InDelta(t, 3600, w.metric("saas_security_lag"), 60)
		l.stop(t)
	})
}
