// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/election"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

func standing(t *testing.T) (*world, *life, *election.Elector) {
	t.Helper()
	w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.LeaderElectorID = &election.ElectorID })
	l, ext := w.prepare(), &election.Elector{}
	l.host.extensions[election.ElectorID] = ext
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
			ext.Elect(t.Context())
			time.Sleep(time.Minute)
			w.requireDelivered(upTo(100 * (term + 1)))
			ext.VoteOut()
			time.Sleep(time.Minute)
			reads := len(w.sim.Ledger().Reads)
			w.sim.Enqueue(100)
			time.Sleep(10 * time.Minute)
			require.Len(t, w.sim.Ledger().Reads, reads)
			require.Empty(t, l.storage.Open())
		}
		ext.Elect(t.Context())
		time.Sleep(time.Second)
		l.stop(t)
		w.requireDelivered(upTo(400))
		require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))

		ext.VoteOut() // the extension may still call
		ext.Elect(t.Context())
	})
}

func TestTermThatCannotBeginIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, ext := standing(t)
		w.sim.Enqueue(100)
		blocker, err := l.storage.GetClient(t.Context(), component.KindReceiver, component.ID{}, "")
		require.NoError(t, err)
		ext.Elect(t.Context())
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
	w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.LeaderElectorID = &election.ElectorID })
	l := w.prepare()
	require.ErrorContains(t, l.Start(t.Context(), l.host), `leader elector extension "k8s_leader_elector" is not running`)
	l = w.prepare()
	l.host.extensions[election.ElectorID] = l.storage
	require.ErrorContains(t, l.Start(t.Context(), l.host), `extension "k8s_leader_elector" is not a leader elector`)
}

// An instance that leads no more has nothing to do with what went wrong while it led, but for what somebody has to look at.
func TestTroubleOfATermEndsWithIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l, ext := standing(t)
		ext.Elect(t.Context())
		time.Sleep(time.Minute)
		w.sim.AddRules(apiDown)
		time.Sleep(2 * time.Hour)
		w.sim.ClearRules()
		time.Sleep(2 * time.Minute)
		w.sim.AddRules(apiDown)
		time.Sleep(30 * time.Minute)
		for _, cause := range []string{"expiry: ", "gap: ", "reading: "} {
			require.Contains(t, l.host.troubles(), cause)
		}
		ext.VoteOut()
		time.Sleep(time.Minute)
		require.Equal(t, "gap: "+errGap.Error(), l.host.troubles())
		l.stop(t)
	})
}
