// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"maps"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// replies is how many full ones a world has.
const replies = 5

const bulkPath = "/log_events_bulk"

// saasWorld has a simulated SaaS Security.
type saasWorld struct {
	*world

	sim     *saassecurity.Simulator
	readers int
}

// newSaaS makes a world with so many readers, whose receiver has these settings besides.
func newSaaS(t *testing.T, readers int, options saassecurity.Options, config map[string]any) *saasWorld {
	t.Helper()
	sim := saassecurity.New(options)
	settings := map[string]any{
		"client_id": saassecurity.DefaultClientID, "client_secret": saassecurity.DefaultClientSecret,
		"max_readers": readers, "poll_interval": "20ms", "body": "string",
	}
	maps.Copy(settings, config)
	w := &saasWorld{world: newWorld(t, sim, settings), sim: sim, readers: readers}
	w.enqueue(replies)
	return w
}

// enqueue adds events for so many full replies.
func (w *saasWorld) enqueue(n int) { w.sim.Enqueue(n * saassecurity.MaxBatch) }

// saasLife is a life of this receiver.
func saasLife(change ...func(*life)) life {
	l := life{Receiver: saas}
	for _, c := range change {
		c(&l)
	}
	return l
}

func down(l *life) { l.Down = true }
func stay(l *life) { l.Stay = true }

func killedAt(p point) func(*life) { return func(l *life) { l.Kill = &p } }

// each tries one point after the other until a life is not killed any more, because it has no such point.
func each(t *testing.T, atLeast int, try func(t *testing.T, nth int) (killed bool)) {
	t.Helper()
	for nth, killed := 0, true; killed; nth++ {
		if !t.Run(strconv.Itoa(nth), func(t *testing.T) {
			killed = try(t, nth)
			require.True(t, killed || nth >= atLeast, "too few points to prove anything")
		}) {
			return
		}
	}
}
