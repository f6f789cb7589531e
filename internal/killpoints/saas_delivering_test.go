// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// spooled makes a world whose events are all in the spool of a process that was killed.
func spooled(t *testing.T, config map[string]any) *saasWorld {
	t.Helper()
	w := newSaaS(t, 1, saassecurity.Options{}, config)
	require.True(t, w.live(saasLife(down, killedAt(point{Place: finish, Moment: before})), nil))
	require.NoFileExists(t, w.path(reportFile))
	return w
}

// S8 to S10: a process delivers what the one before has left in the spool. A reply can come again if it was with the sink,
// and not yet deleted from the spool.
func TestKillsWhileDelivering(t *testing.T) {
	t.Parallel()
	const (
		side = 2 // deliveries at a time, with one reader
		of   = saassecurity.MaxBatch
	)
	for name, tc := range map[string]struct {
		point    point
		from, to int // events that come again
	}{
		"S8/before": {point{Place: deliver, Moment: before}, 0, (side - 1) * of},
		"S8/after":  {point{Place: deliver, Moment: after}, of, side * of},
		"S9":        {point{Place: removal, Moment: before}, of, side * of},
		"S9/during": {point{Place: removal, Moment: during, Part: 0.5}, 0, side * of},
		"S10":       {point{Place: removal, Moment: after}, 0, (side - 1) * of},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, replies, func(t *testing.T, nth int) bool {
				w := spooled(t, nil)
				tc.point.Nth = nth
				killed := w.live(saasLife(killedAt(tc.point)), nil)
				got := w.settle(saasLife())
				require.Zero(t, got.lost)
				if killed {
					require.GreaterOrEqual(t, got.repeated, tc.from)
					require.LessOrEqual(t, got.repeated, tc.to)
				} else {
					require.Zero(t, got.repeated)
				}
				return killed
			})
		})
	}
}

// S11: the first process was killed with everything in the spool, and the second one while it replays that.
func TestKillsWhileReplaying(t *testing.T) {
	t.Parallel()
	for _, place := range []string{open, anyWrite, deliver} {
		for _, moment := range []string{before, after} {
			t.Run("S11 "+place+"/"+moment, func(t *testing.T) {
				t.Parallel()
				each(t, 2, func(t *testing.T, nth int) bool {
					w := spooled(t, nil)
					killed := w.live(saasLife(killedAt(point{Place: place, Moment: moment, Nth: nth})), nil)
					require.Zero(t, w.settle(saasLife()).lost)
					return killed
				})
			})
		}
	}
}

// liveBusily lives a life while events come: only beside others that are accepted is a refused record put aside.
func (w *saasWorld) liveBusily(l life) (killed bool) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	var traffic sync.WaitGroup
	traffic.Go(func() { w.sim.Run(ctx, 20) })
	defer traffic.Wait()
	defer cancel()
	return w.live(l, nil)
}

// S13: a record that the sink refuses for good goes from the spool into the quarantine. It is in one of them at least, and
// what came with it is delivered.
func TestKillsWhilePuttingARecordAside(t *testing.T) {
	t.Parallel()
	const poisoned = 142
	for name, p := range map[string]point{
		"S13 quarantine/before": {Place: quarantine, Moment: before},
		"S13 quarantine/during": {Place: quarantine, Moment: during, Part: 0.5},
		"S13 quarantine/after":  {Place: quarantine, Moment: after},
		"S13 removal/before":    {Place: removal, Moment: before},
		"S13 removal/after":     {Place: removal, Moment: after},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, 1, func(t *testing.T, nth int) bool {
				w := spooled(t, map[string]any{"retry_on_failure": map[string]any{"initial_interval": "1ms", "max_interval": "2ms"}})
				poison := func(l *life) { l.Poison = saassecurity.Marker(poisoned) }
				p.Nth = nth
				killed := w.liveBusily(saasLife(poison, killedAt(p)))
				require.False(t, w.liveBusily(saasLife(poison)), "it ends when the record is put aside")
				lost := w.settle(saasLife(poison)).lost
				require.LessOrEqual(t, lost, w.doubt, "only what a read brought that was open at the kill")
				require.Contains(t, w.report().Quarantined, int64(poisoned))
				for _, n := range w.report().Quarantined {
					require.EqualValues(t, poisoned, n, "nothing else is put aside")
				}
				return killed
			})
		})
	}
}
