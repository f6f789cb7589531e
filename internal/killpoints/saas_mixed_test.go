// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"testing"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// readers of a process that reads and delivers as fast as it can.
const readers = 4

func newBusy(t *testing.T) *saasWorld {
	t.Helper()
	w := newSaaS(t, readers, saassecurity.Options{Latency: 5 * time.Millisecond}, nil)
	w.enqueue(3)
	return w
}

// Any point, with several readers and deliveries at the same time.
func TestKillsWhileEverythingIsGoingOn(t *testing.T) {
	t.Parallel()
	for _, place := range []string{anyWrite, deliver} {
		for _, moment := range []string{before, after} {
			t.Run(place+"/"+moment, func(t *testing.T) {
				t.Parallel()
				each(t, replies, func(t *testing.T, nth int) bool {
					w := newBusy(t)
					killed := w.live(saasLife(killedAt(point{Place: place, Moment: moment, Nth: nth})), nil)
					w.settle(saasLife())
					return killed
				})
			})
		}
	}
	for _, moment := range requestMoments {
		t.Run("request/"+moment, func(t *testing.T) {
			t.Parallel()
			each(t, replies, func(t *testing.T, nth int) bool {
				w := newBusy(t)
				killed := w.live(saasLife(), &request{path: bulkPath, moment: moment, nth: nth})
				w.settle(saasLife())
				return killed
			})
		})
	}
}

// The second kill comes while the first one is being recovered from, and there is more to read by then.
func TestPairsOfKills(t *testing.T) {
	t.Parallel()
	step := stride(t)
	for first := 0; first < 25; first += step {
		t.Run(number(first), func(t *testing.T) {
			t.Parallel()
			for second, killed := 0, true; killed; second += step {
				t.Run(number(second), func(t *testing.T) {
					w := newBusy(t)
					w.live(saasLife(killedAt(point{Place: anyWrite, Moment: before, Nth: first})), nil)
					w.enqueue(1)
					killed = w.live(saasLife(killedAt(point{Place: anyWrite, Moment: after, Nth: second})), nil)
					w.settle(saasLife())
				})
			}
		})
	}
}
