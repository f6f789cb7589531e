// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/election"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
)

// standing starts an instance that stands for election. Every instance uses the world's one disk.
func standing(t *testing.T, w *world) (*auditReceiver, *election.Elector, *crashtest.Extension) {
	t.Helper()
	elector, storage := &election.Elector{}, crashtest.NewExtension(w.disk)
	host := crashtest.NewHost(storage)
	host.GetExtensions()[election.ElectorID] = elector
	r, err := w.startOn(host)
	require.NoError(t, err)
	return r, elector, storage
}

// Two instances lead in turns. The one that leads goes on where the other one ended.
func TestOnlyTheLeaderReadsAndEachTermBeginsAtTheCheckpoint(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 73}, func(c *Config) { c.LeaderElectorID = &election.ElectorID })
		one, first, firstStorage := standing(t, w)
		other, second, secondStorage := standing(t, w)
		noon := time.Now()
		w.sim.Generate(w.sub.Tenant, 2000, noon.Add(-12*time.Hour), noon.Add(12*time.Hour))

		time.Sleep(time.Hour)
		require.Empty(t, w.sim.Ledger().Requests(), "nobody leads")
		require.True(t, firstStorage.Released(), "another instance may have it")

		for term := range 4 {
			leader, storage := first, firstStorage
			if term%2 == 1 {
				leader, storage = second, secondStorage
			}
			leader.Elect(t.Context())
			time.Sleep(time.Hour)
			require.Empty(t, w.sim.Ledger().Missing(w.sink.delivered(), sapbtp.VisibleBy(time.Now().Add(-2*time.Minute))), "term %d", term)
			leader.VoteOut()
			time.Sleep(time.Minute)
			require.True(t, storage.Released())
			requests := w.sim.Ledger().Total(sapbtp.KindRecords)
			time.Sleep(time.Hour)
			require.Equal(t, requests, w.sim.Ledger().Total(sapbtp.KindRecords), "who does not lead does not read")
			require.Empty(t, w.gauges(t, "unread_age"), "and says nothing about it")
		}
		require.NoError(t, one.Shutdown(t.Context()))
		require.NoError(t, other.Shutdown(t.Context()))
		w.requireNoDuplicates(0)
	})
}

func TestTheStatusOfATermEndsWithIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 76}, func(c *Config) { c.LeaderElectorID = &election.ElectorID })
		elector := &election.Elector{}
		host := newStatusHost(w)
		host.GetExtensions()[election.ElectorID] = elector
		r, err := w.startOn(host)
		require.NoError(t, err)
		w.sink.refuse(errDown)
		w.sim.Generate(w.sub.Tenant, 100, time.Now().Add(-time.Hour), time.Now())
		elector.Elect(t.Context())
		time.Sleep(time.Hour)
		events := host.take()
		require.Contains(t, events[len(events)-1], "delivery ")
		r.term.follow(keyfiles.Snapshot{Problems: map[string]error{"/keys/b.json": errDown}, Sources: []keyfiles.Source{{
			ID: r.list()[0].id, Credentials: []keyfiles.Credential{{Key: r.list()[0].connection.Load().credentials[0].key}},
		}}})
		events = host.take()
		require.Contains(t, events[len(events)-1], "service key /keys/b.json")

		elector.VoteOut()
		time.Sleep(time.Minute)
		events = host.take()
		require.NotEmpty(t, events)
		require.Equal(t, statusOK, events[len(events)-1], "who does not lead has no trouble with what others read")

		w.sink.refuse(nil)
		elector.Elect(t.Context())
		time.Sleep(time.Hour)
		require.Equal(t, 100, w.sink.total())
		require.Empty(t, host.take(), "what was mended in between is not remembered")
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

func TestATermThatCannotBeginIsTriedAgainWhileTheInstanceLeads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 74}, func(c *Config) { c.LeaderElectorID = &election.ElectorID })
		r, elector, storage := standing(t, w)
		w.sim.Generate(w.sub.Tenant, 100, time.Now().Add(-time.Hour), time.Now())
		taken, err := storage.GetClient(t.Context(), component.KindReceiver, component.ID{}, "")
		require.NoError(t, err)
		elector.Elect(t.Context())
		time.Sleep(time.Minute)
		require.Zero(t, w.sink.total())
		require.NotEmpty(t, w.logs.FilterMessage("This instance leads but cannot begin; trying again").All())
		require.NoError(t, taken.Close(t.Context()))
		time.Sleep(2 * time.Minute)
		require.Equal(t, 100, w.sink.total())
		require.NoError(t, r.Shutdown(t.Context()))
		require.True(t, storage.Released())
	})
}

func TestAnElectorThatIsNotThereFailsTheStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{}, func(c *Config) { c.LeaderElectorID = &election.ElectorID })
		_, _, err := w.start()
		require.ErrorContains(t, err, `leader elector extension "k8s_leader_elector" is not running`)
		host := crashtest.NewHost(crashtest.NewExtension(w.disk))
		host.GetExtensions()[election.ElectorID] = host.GetExtensions()[crashtest.StorageID]
		_, err = w.startOn(host)
		require.ErrorContains(t, err, `extension "k8s_leader_elector" is not a leader elector`)
	})
}
