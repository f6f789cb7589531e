// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// S1 to S7: one reader reads while the sink is down, so that nothing else is going on and the outcome is known exactly.
func TestKillsWhileReading(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		point   point
		atLeast int
		lost    []int // replies, one of these numbers
	}{
		"S1 space/before":  {point{Place: space, Moment: before}, 2, []int{0}},
		"S1 space/after":   {point{Place: space, Moment: after}, 2, []int{0}},
		"S1 intent/before": {point{Place: intent, Moment: before}, 1, []int{0}},
		"S1 intent/after":  {point{Place: intent, Moment: after}, 1, []int{0}},
		"S5":               {point{Place: entry, Moment: before}, replies, []int{1}},
		"S6/quarter":       {point{Place: entry, Moment: during, Part: 0.25}, replies, []int{0, 1}},
		"S6/half":          {point{Place: entry, Moment: during, Part: 0.5}, replies, []int{0, 1}},
		"S6/most":          {point{Place: entry, Moment: during, Part: 0.75}, replies, []int{0, 1}},
		"S7":               {point{Place: entry, Moment: after}, replies, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, tc.atLeast, func(t *testing.T, nth int) bool {
				w := newSaaS(t, 1, saassecurity.Options{}, nil)
				tc.point.Nth = nth
				killed := w.live(saasLife(down, killedAt(tc.point)), nil)
				got := w.settle(saasLife())
				require.Zero(t, got.repeated)
				if killed {
					require.Contains(t, tc.lost, got.lost)
				}
				return killed
			})
		})
	}
}

// S11: the life after a read was lost is killed while it takes stock. The read is counted all the same.
func TestKillsWhileReadsInDoubtAreCounted(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{before, after} {
		t.Run("S11 start/"+moment, func(t *testing.T) {
			t.Parallel()
			each(t, 2, func(t *testing.T, nth int) bool {
				w := newSaaS(t, 1, saassecurity.Options{}, nil)
				require.True(t, w.live(saasLife(down, killedAt(point{Place: entry, Moment: before, Nth: 1})), nil))
				killed := w.live(saasLife(down, killedAt(point{Place: anyWrite, Moment: moment, Nth: nth})), nil)
				require.GreaterOrEqual(t, w.settle(saasLife()).lost, 1)
				return killed
			})
		})
	}
}
