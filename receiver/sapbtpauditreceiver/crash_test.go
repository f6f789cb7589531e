// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// small is a world that is read with few state writes: several windows, some of more than one page, and traffic.
func small(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, sapbtp.Options{Seed: 21, Readings: sapbtp.Readings{Order: sapbtp.Shuffled}}, func(c *Config) {
		c.InitialLookback = 2 * time.Hour
		c.Sweeps = []time.Duration{0, 2 * time.Minute, 4 * time.Minute}
		c.Concurrency = 2
		c.RetryOnFailure.InitialInterval = 10 * time.Millisecond
	})
	now := time.Now()
	w.sim.Generate(w.sub.Tenant, 510, now.Add(-80*time.Minute), now.Add(-70*time.Minute))
	w.sim.Generate(w.sub.Tenant, 40, now.Add(-5*time.Minute), now)
	w.sim.Generate(w.sub.Tenant, 20, now, now.Add(2*time.Minute))
	return w
}

// lifetime is how long a receiver runs that does not crash.
const lifetime = 9 * time.Minute

// life runs a receiver that crashes after so many state writes, or is stopped after its lifetime if it does not get that far.
func (w *world) life(options ...crashtest.Option) (crashed bool) {
	w.t.Helper()
	died := make(chan struct{})
	options = append(options, crashtest.OnCrash(func() { close(died) }))
	r, ext, err := w.start(options...)
	if err != nil {
		require.ErrorIs(w.t, err, crashtest.ErrCrashed)
		return true
	}
	select {
	case <-died:
	case <-time.After(lifetime):
	}
	// A crashed process writes nothing any more, so what its remains do until they are gone does not matter: the disk
	// refuses them, and no page is delivered after a checkpoint that failed.
	require.NoError(w.t, r.Shutdown(context.Background()))
	return ext.Crashed()
}

// Whatever state write is the last one of a life, the next life delivers everything, and repeats at most the pages that
// were being delivered.
func TestACrashAfterAnyStateWriteLosesNothing(t *testing.T) {
	forEachStorage(t, func(t *testing.T, options ...crashtest.Option) {
		total := writesOf(t, options...)
		require.GreaterOrEqual(t, total, 12, "too few writes to prove anything")
		crashes := 0
		for k := range total + 1 {
			virtually(t, func(t *testing.T) {
				w := small(t)
				if w.life(append(options, crashtest.CrashAfter(k))...) {
					crashes++
				}
				w.life(options...)
				w.requireComplete()
				w.requireNoDuplicates(pageRecords)
			})
		}
		// Windows are read in parallel, so lives differ by a write or two.
		require.Greater(t, crashes, total-3)
	})
}

// The same for every pair: a crash, and another one in the life after it, which is where restarts lose data.
func TestACrashAfterAnyPairOfStateWritesLosesNothing(t *testing.T) {
	forEachStorage(t, func(t *testing.T, options ...crashtest.Option) {
		total := writesOf(t, options...)
		step := 1
		if testing.Short() {
			step = 5
		}
		for first := 0; first < total; first += step {
			t.Run(strconv.Itoa(first), func(t *testing.T) {
				t.Parallel()
				for second := 0; second < total-first; second += step {
					virtually(t, func(t *testing.T) {
						w := small(t)
						w.life(append(slices.Clone(options), crashtest.CrashAfter(first))...)
						w.life(append(slices.Clone(options), crashtest.CrashAfter(second), crashtest.Unacknowledged())...)
						w.life(options...)
						w.requireComplete()
						w.requireNoDuplicates(2 * pageRecords)
					})
				}
			})
		}
	})
}

// forEachStorage runs the test on a storage whose batches are atomic, as those of file_storage are, and on one where a
// crash may cut a batch in two.
func forEachStorage(t *testing.T, f func(*testing.T, ...crashtest.Option)) {
	t.Helper()
	t.Run("atomic batches", func(t *testing.T) { t.Parallel(); f(t) })
	t.Run("any prefix of a batch", func(t *testing.T) { t.Parallel(); f(t, crashtest.NonAtomic()) })
}

// writesOf is the number of state writes of a life without a crash.
func writesOf(t *testing.T, options ...crashtest.Option) (writes int) {
	t.Helper()
	virtually(t, func(t *testing.T) {
		w := small(t)
		w.life(options...)
		w.requireExactlyOnce()
		writes = w.disk.Writes()
		synctest.Wait()
	})
	return writes
}
