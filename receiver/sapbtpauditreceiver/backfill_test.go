// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

func TestBackfillDeliversEveryEventOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 1, Readings: sapbtp.Readings{OwnRecords: true, RateLimit: sapbtp.FastRegion}}, func(c *Config) {
			c.InitialLookback = 30 * 24 * time.Hour
		})
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 20_000, now.Add(-30*24*time.Hour+time.Minute), now)
		live := w.sim.Live(2)
		r, _, err := w.start()
		require.NoError(t, err)
		for range 15 * 60 {
			time.Sleep(time.Second)
			live.Tick(time.Now())
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		w.requireExactlyOnce(sapbtp.VisibleBy(time.Now().Add(-2 * time.Minute)))
		require.LessOrEqual(t, w.sim.Ledger().MaxRate(w.sub.Tenant), 8)
		require.Zero(t, w.sim.Ledger().Answered(sapbtp.KindRecords, http.StatusTooManyRequests))
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// A window cannot be cut below a second, so paging has to carry what happened in one.
func TestTwentyThousandEventsInOneSecondArriveOnceEach(t *testing.T) {
	for name, tc := range map[string]struct {
		order  sapbtp.Order
		events int
	}{
		"in no order": {sapbtp.Shuffled, 20_000}, "oldest first": {sapbtp.OldestFirst, 5000}, "newest first": {sapbtp.NewestFirst, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 2, Readings: sapbtp.Readings{Order: tc.order}})
				second := time.Now().Add(-time.Hour).Truncate(time.Second)
				w.sim.Generate(w.sub.Tenant, tc.events, second, second.Add(time.Second))
				w.sim.Generate(w.sub.Tenant, 500, second.Add(-time.Hour), second.Add(time.Hour))
				w.runFor(10 * time.Minute)
				w.requireExactlyOnce()
			})
		})
	}
}

func TestNewestEventsComeFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 3}, func(c *Config) { c.InitialLookback = 30 * 24 * time.Hour })
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 20_000, now.Add(-30*24*time.Hour), now)
		w.runFor(10 * time.Minute)
		w.requireExactlyOnce()
		newest := w.sink.at[newestID(w)]
		oldest := w.sink.at[oldestID(w)]
		require.Less(t, newest.Sub(now), 2*time.Second, "today's events are there at once")
		require.Greater(t, oldest.Sub(newest), 2*time.Second)
	})
}

func newestID(w *world) (id string) {
	var at time.Time
	for e := range w.sim.Ledger().Entries() {
		if e.Time.After(at) {
			id, at = e.ID, e.Time
		}
	}
	return id
}

func oldestID(w *world) (id string) {
	at := time.Now().Add(time.Hour)
	for e := range w.sim.Ledger().Entries() {
		if e.Time.Before(at) {
			id, at = e.ID, e.Time
		}
	}
	return id
}

func TestAQuietSubaccountCostsOneRequestAPoll(t *testing.T) {
	for name, own := range map[string]bool{"empty": false, "with the records of the reading itself": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 4, Readings: sapbtp.Readings{OwnRecords: own}}, func(c *Config) {
					c.InitialLookback = 0
				})
				w.runFor(8*time.Hour + 30*time.Second)
				polls := int(8 * time.Hour / pollEvery(w.config()))
				// What six hours of its own records are takes two pages in the end.
				require.InDelta(t, polls, w.sim.Ledger().Total(sapbtp.KindRecords), 20)
				require.LessOrEqual(t, w.sim.Ledger().Total(sapbtp.KindToken), 3, "tokens are kept")
				if own {
					w.requireExactlyOnce(sapbtp.VisibleBy(time.Now().Add(-2 * time.Minute)))
				}
			})
		})
	}
}

func TestAPollTakesABoundedNumberOfRecordsAndTheNextFollowsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 5}, func(c *Config) {
			c.MaxEventsPerPoll = 1000
			c.Concurrency = 1
			c.PollInterval = time.Hour
		})
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 12_000, now.Add(-time.Hour), now)
		w.runFor(time.Minute)
		w.requireExactlyOnce()
	})
}

func TestNothingIsReadBeforeTheFirstStartWithoutLookback(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 6}, func(c *Config) { c.InitialLookback = 0 })
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 100, now.Add(-time.Hour), now.Add(-2*time.Second))
		w.sim.Generate(w.sub.Tenant, 50, now.Add(time.Second), now.Add(5*time.Minute))
		w.runFor(10 * time.Minute)
		w.requireNoDuplicates(0)
		require.Len(t, w.sink.delivered(), 50)
	})
}

// Polls of what is new go on during a backfill and cost it a request each, not its speed.
func TestABackfillIsDoneInAboutAsManyRequestsAsItHasPages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 55, Readings: sapbtp.Readings{OwnRecords: true}}, func(c *Config) {
			c.InitialLookback = 30 * 24 * time.Hour
			c.PollInterval = 2 * time.Second
			c.Sweeps = []time.Duration{0, 10 * time.Second}
		})
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 20_000, now.Add(-30*24*time.Hour+time.Minute), now)
		w.runFor(40 * time.Second) // 320 requests at 8 a second
		w.requireExactlyOnce(sapbtp.VisibleBy(now))
	})
}

// What was begun of the day that SAP deletes next is read to its end before more of it is begun.
func TestFewWindowsAreOpenWhileDataIsAboutToExpire(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 72}, func(c *Config) {
			c.InitialLookback = 2160 * time.Hour
			c.MaxEventsPerPoll = 500
		})
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 15_000, now.Add(-2159*time.Hour), now.Add(-2136*time.Hour))
		r, _, err := w.start()
		require.NoError(t, err)
		s, most := r.list()[0], 0
		for range 300 {
			time.Sleep(time.Second)
			s.mu.Lock()
			most = max(most, len(s.suspended))
			s.mu.Unlock()
		}
		require.LessOrEqual(t, most, w.config().Concurrency)
		require.NoError(t, r.Shutdown(t.Context()))
		w.requireExactlyOnce()
	})
}
