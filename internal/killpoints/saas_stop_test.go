// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// holding makes a world whose server holds reads while its queue is empty, and begins a life that has read everything and
// has such a read open.
func holding(t *testing.T, change ...func(*life)) (*saasWorld, *process) {
	t.Helper()
	w := newSaaS(t, 1, saassecurity.Options{}, nil)
	empty := func() bool { return w.sim.Ledger().Queued == 0 }
	w.gate.hold.Store(&empty)
	p := w.begin(saasLife(append(change, stay)...), nil)
	w.await("the server holds a read", func() bool { return empty() && w.gate.held.Load() > 0 })
	return w, p
}

// release answers the read with events.
func (w *saasWorld) release() {
	w.enqueue(1)
	w.gate.hold.Store(nil)
}

// S17: the process is told to stop while the server holds its read, which is waited for and spooled.
func TestKillsDuringShutdown(t *testing.T) {
	t.Parallel()
	t.Run("S17/no kill", func(t *testing.T) {
		t.Parallel()
		w, p := holding(t)
		p.terminate()
		w.release()
		require.False(t, p.end())
		require.Equal(t, sums{}, w.settle(saasLife()))
		require.Zero(t, w.doubt)
	})
	t.Run("S17/while it waits", func(t *testing.T) {
		t.Parallel()
		w, p := holding(t)
		p.terminate()
		p.Kill()
		require.True(t, p.end())
		w.await("the server gives the read up", func() bool { return w.gate.held.Load() == 0 })
		w.release()
		require.Zero(t, w.settle(saasLife()).lost)
		require.Equal(t, 1, w.doubt)
	})
	for _, moment := range []string{before, after} {
		t.Run("S17/"+moment, func(t *testing.T) {
			t.Parallel()
			each(t, 2, func(t *testing.T, nth int) bool {
				w, p := holding(t, killedAt(point{Place: anyWrite, Moment: moment, Nth: nth, Stopping: true}))
				p.terminate()
				w.release()
				killed := p.end()
				w.settle(saasLife())
				return killed
			})
		})
	}
}

// S12: the sink is down and the spool full, so nothing is read, and that is said; as well after a kill.
func TestKillsWithAFullSpool(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]point{
		"S12/before": {Place: alarm, Moment: before},
		"S12/after":  {Place: alarm, Moment: after},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSaaS(t, 1, saassecurity.Options{Rules: []saassecurity.Rule{
				{On: saassecurity.Bulk, Fault: saassecurity.Fault{Oversize: 7 << 19}},
			}}, map[string]any{"spool": map[string]any{"max_size_mib": 16}})
			require.True(t, w.live(saasLife(down, killedAt(p)), nil))
			read := w.sim.Ledger().Dequeues
			require.Less(t, read, replies, "the spool is full")
			require.True(t, w.live(saasLife(down, killedAt(p)), nil))
			require.Equal(t, read, w.sim.Ledger().Dequeues, "there is no room for another one")
			require.Equal(t, sums{}, w.settle(saasLife()))
		})
	}
}
