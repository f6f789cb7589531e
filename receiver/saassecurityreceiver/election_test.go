// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// extension plays k8s_leader_elector.
type extension struct {
	component.StartFunc
	component.ShutdownFunc
	onStart func(context.Context)
	onStop  func()
}

func (e *extension) SetCallBackFuncs(onStart func(context.Context), onStop func()) {
	e.onStart, e.onStop = onStart, onStop
}

var electorID = component.MustNewID("k8s_leader_elector")

func standing(t *testing.T) (*world, *life, *extension) {
	t.Helper()
	w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.LeaderElectorID = &electorID })
	l, ext := w.prepare(), &extension{}
	l.host.extensions[electorID] = ext
	require.NoError(t, l.Start(t.Context(), l.host))
	return w, l, ext
}

func TestOnlyTheLeaderReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, ext := standing(t)
		w.sim.Enqueue(100)
		time.Sleep(time.Minute)
		require.Empty(t, w.sim.Ledger().Reads)
		require.Empty(t, l.storage.Open(), "another instance may have it")
		require.Zero(t, w.metric("saas_security_spool_entries"))

		for term := range 3 {
			ext.onStart(t.Context())
			time.Sleep(time.Minute)
			w.requireDelivered(upTo(100 * (term + 1)))
			ext.onStop()
			time.Sleep(time.Minute)
			reads := len(w.sim.Ledger().Reads)
			w.sim.Enqueue(100)
			time.Sleep(10 * time.Minute)
			require.Len(t, w.sim.Ledger().Reads, reads)
			require.Empty(t, l.storage.Open())
		}
		ext.onStart(t.Context())
		time.Sleep(time.Second)
		l.stop(t)
		w.requireDelivered(upTo(400))
		require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))

		ext.onStop() // the extension may still call
		ext.onStart(t.Context())
	})
}

func TestTermThatCannotBeginIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, ext := standing(t)
		w.sim.Enqueue(100)
		blocker, err := l.storage.GetClient(t.Context(), component.KindReceiver, component.ID{}, "")
		require.NoError(t, err)
		ext.onStart(t.Context())
		time.Sleep(10 * time.Minute)
		require.Contains(t, l.host.troubles(), "term: opening storage")
		require.NoError(t, blocker.Close(t.Context()))
		time.Sleep(2 * time.Minute)
		w.requireDelivered(upTo(100))
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

func TestWrongElectorFailsTheStart(t *testing.T) {
	w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.LeaderElectorID = &electorID })
	l := w.prepare()
	require.ErrorContains(t, l.Start(t.Context(), l.host), `leader elector extension "k8s_leader_elector" is not running`)
	l = w.prepare()
	l.host.extensions[electorID] = l.storage
	require.ErrorContains(t, l.Start(t.Context(), l.host), `extension "k8s_leader_elector" is not a leader elector`)
}
