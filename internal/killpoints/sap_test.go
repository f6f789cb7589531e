// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// B1 and B5 to B11: windows are read one after the other, so that what comes again is known exactly.
func TestKillsOfSAPBTPWhileReading(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		point    point
		from, to int // events that come again
	}{
		"B1/before":     {point{Place: open, Moment: before}, 0, 0},
		"B1/after":      {point{Place: open, Moment: after}, 0, 0},
		"B5":            {point{Place: deliver, Moment: before}, 0, 0},
		"B6":            {point{Place: deliver, Moment: after}, 1, pageRecords},
		"B7, B9/before": {point{Place: checkpoint, Moment: before}, 0, pageRecords},
		"B7, B9/during": {point{Place: checkpoint, Moment: during, Part: 0.5}, 0, pageRecords},
		"B8, B10":       {point{Place: checkpoint, Moment: after}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, 1, func(t *testing.T, nth int) bool {
				w := newSAP(t, 1)
				tc.point.Nth = nth
				killed := w.live(&tc.point, nil)
				repeated := w.settle()
				if killed {
					require.GreaterOrEqual(t, repeated, tc.from)
					require.LessOrEqual(t, repeated, tc.to)
				} else {
					require.Zero(t, repeated)
				}
				return killed
			})
		})
	}
}

// B2 to B4: a request is on the network. It is repeated, and that is all.
func TestKillsOfSAPBTPWhileARequestIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"B2": "/oauth/token", "B3, B4": recordsPath} {
		for _, moment := range requestMoments {
			t.Run(name+"/"+moment, func(t *testing.T) {
				t.Parallel()
				each(t, 1, func(t *testing.T, nth int) bool {
					w := newSAP(t, 1)
					killed := w.live(nil, &request{path: path, moment: moment, nth: nth})
					w.settle()
					return killed
				})
			})
		}
	}
}

// B12: several windows are read at a time. The second kill comes while the first one is being recovered from.
func TestPairsOfKillsOfSAPBTP(t *testing.T) {
	t.Parallel()
	step := stride(t)
	for first := 0; first < 12; first += step {
		t.Run("B12/"+number(first), func(t *testing.T) {
			t.Parallel()
			for second, killed := 0, true; killed; second += step {
				t.Run(number(second), func(t *testing.T) {
					w := newSAP(t, 3)
					w.live(&point{Place: checkpoint, Moment: before, Nth: first}, nil)
					killed = w.live(&point{Place: checkpoint, Moment: after, Nth: second}, nil)
					w.settle()
				})
			}
		})
	}
}

// B16: file_storage rewrites its files when they are opened.
func TestKillsOfSAPBTPWhileFilesAreCompacted(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]point{
		"B16/before": {Place: open, Moment: before},
		"B16/half":   {Place: open, Moment: during, Part: 0.5},
		"B16/after":  {Place: open, Moment: after},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSAP(t, 1)
			require.True(t, w.live(&point{Place: checkpoint, Moment: after, Nth: 2}, nil))
			w.storage = map[string]any{"compaction": map[string]any{"on_start": true, "directory": t.TempDir(), "cleanup_on_start": true}}
			require.True(t, w.live(&p, nil))
			require.Zero(t, w.settle())
		})
	}
}

// B17 and B18: while a page is under way, another process fails to start; then the first one is told to stop, and killed.
func TestKillsOfSAPBTPDuringShutdown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"B17", "B18"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSAP(t, 1)
			begun := func() bool { return w.sim.Ledger().Total(sapbtp.KindRecords) > 0 }
			w.gate.hold.Store(&begun)
			first := w.begin(life{Receiver: sap, Stay: true}, nil)
			w.await("the server holds a page", func() bool { return begun() && w.gate.held.Load() > 0 })
			if name == "B18" {
				w.fails(life{Receiver: sap})
			} else {
				first.terminate()
			}
			first.Kill()
			first.end()
			w.gate.hold.Store(nil)
			require.LessOrEqual(t, w.settle(), pageRecords)
		})
	}
}
