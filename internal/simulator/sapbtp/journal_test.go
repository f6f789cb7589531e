// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// journaled is a simulator with a journal, and the way to end it.
func journaled(t *testing.T, path string, now *time.Time, readings Readings) (*Simulator, func()) {
	t.Helper()
	late, err := ParseLateness("1:0s-10m,1:1h")
	require.NoError(t, err)
	sim := New(Options{Seed: 6, Subaccounts: 2, Now: func() time.Time { return *now }, Readings: readings, Lateness: late})
	j, err := sim.OpenJournal(path)
	require.NoError(t, err)
	return sim, func() { require.NoError(t, j.Close()) }
}

// book lists all that a ledger knows of its records.
func book(sim *Simulator) []Entry {
	var out []Entry
	for e := range sim.Ledger().Entries() {
		e.tenant = nil
		out = append(out, e)
	}
	return out
}

func TestAJournalContinuesTheLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.ndjson")
	now := noon
	readings := Readings{OwnRecords: true}
	sim, end := journaled(t, path, &now, readings)
	sub := sim.Subaccount(1)
	sim.Generate(sub.Tenant, 700, noon.Add(-48*time.Hour), noon.Add(-10*time.Hour))
	sim.Generate(sim.Subaccount(0).Tenant, 10, time.Now(), time.Now().Add(3*time.Second))
	sim.Add(sub.Tenant, Record{Time: noon.Add(-3 * time.Hour), VisibleAt: noon.Add(time.Hour), Category: CategoryDataAccess},
		Record{ID: "mine", Time: noon, JSON: []byte(`not json {`)})
	c := newCaller(t, sim)
	c.sub = sub
	c.all("time_from", "2026-09-12T00:00:00", "category", CategorySecurity)
	c.bearer = "stolen"
	c.status("client_secret", "x")
	before, bodies, requests, summary := book(sim), digests(sim), sim.Ledger().Requests(), sim.Ledger().Summary()
	require.NotZero(t, summary.Served)
	require.NotZero(t, summary.Leaks)
	end()

	again, end := journaled(t, path, &now, readings)
	require.Equal(t, before, book(again))
	require.Equal(t, bodies, digests(again))
	require.Equal(t, requests, again.Ledger().Requests())
	after := again.Ledger().Summary()
	after.MaxRate, after.Accounts[1].MaxRate = summary.MaxRate, summary.Accounts[1].MaxRate // of this run only
	require.Equal(t, summary, after)
	again.Generate(sub.Tenant, 5, noon, noon.Add(time.Second))
	before = book(again)
	end()

	// A machine that stops leaves half a line.
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"op":"gene`)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	again, end = journaled(t, path, &now, readings)
	require.Equal(t, before, book(again))
	again.Generate(sub.Tenant, 1, noon, noon)
	before = book(again)
	end()
	again, end = journaled(t, path, &now, readings)
	require.Equal(t, before, book(again), "the half line is gone")
	end()
}

func TestJournalsThatCannotBeContinued(t *testing.T) {
	begin := `{"op":"begin","seed":6,"subaccounts":2}` + "\n"
	tenant := New(Options{Seed: 6, Subaccounts: 2}).Subaccount(0).Tenant
	tests := map[string]struct {
		text string
		want string
	}{
		"another seed":        {`{"op":"begin","seed":7,"subaccounts":2}` + "\n", "line 1: it was begun with another seed"},
		"other subaccounts":   {`{"op":"begin","seed":6}` + "\n", "line 1: it was begun with another seed"},
		"no beginning":        {`{"op":"generate"}` + "\n", "line 1: it was begun"},
		"no JSON":             {begin + "gibberish\n", "line 2: invalid character"},
		"unknown operation":   {begin + `{"op":"dance"}` + "\n", "line 2: it does not say"},
		"unknown tenant":      {begin + `{"op":"add","tenant":"x"}` + "\n", "line 2: it does not say"},
		"unknown producer":    {begin + `{"op":"add","tenant":"` + tenant + `","producer":"x"}` + "\n", "line 2: it does not say"},
		"unknown lateness":    {begin + `{"op":"generate","tenant":"` + tenant + `","from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z","late":"x"}` + "\n", "line 2: lateness"},
		"impossible servings": {begin + `{"op":"request","request":{"tenant":"` + tenant + `"},"served":[[0,3]]}` + "\n", "line 2: it does not say"},
		"backward servings":   {begin + `{"op":"request","request":{"tenant":"` + tenant + `"},"served":[[1,0]]}` + "\n", "line 2: it does not say"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.ndjson")
			require.NoError(t, os.WriteFile(path, []byte(tc.text), 0o600))
			_, err := New(Options{Seed: 6, Subaccounts: 2}).OpenJournal(path)
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err := New(Options{}).OpenJournal(t.TempDir())
	require.Error(t, err, "a directory")
}

func TestRangesOfOrdinals(t *testing.T) {
	for _, tc := range []struct {
		ordinals []uint32
		runs     [][2]uint32
	}{
		{nil, nil},
		{[]uint32{7}, [][2]uint32{{7, 7}}},
		{[]uint32{0, 1, 2}, [][2]uint32{{0, 2}}},
		{[]uint32{5, 0, 1, 9, 8, 3}, [][2]uint32{{5, 5}, {0, 1}, {9, 9}, {8, 8}, {3, 3}}},
	} {
		require.Equal(t, tc.runs, ranges(tc.ordinals))
		got, err := unroll(tc.runs, 10)
		require.NoError(t, err)
		require.Equal(t, tc.ordinals, got)
	}
}

func TestAJournalTellsWhenItCouldNotBeWritten(t *testing.T) {
	sim := New(Options{})
	j, err := sim.OpenJournal(filepath.Join(t.TempDir(), "ledger.ndjson"))
	require.NoError(t, err)
	require.NoError(t, j.file.Close())
	sim.Add(sim.Subaccount(0).Tenant, Record{})
	require.ErrorIs(t, j.Close(), os.ErrClosed)
}
