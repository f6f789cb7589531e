// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryRecordComesOnceOverAllPages(t *testing.T) {
	sim := New(Options{Seed: 1, Now: at(noon)})
	sub := sim.Subaccount(0)
	sim.Generate(sub.Tenant, 1234, noon.Add(-time.Hour), noon)
	c := newCaller(t, sim)
	ids, pages := c.all()
	require.Equal(t, 3, pages)
	require.Len(t, ids, 1234)
	ledger := sim.Ledger()
	require.Empty(t, ledger.Missing(ids))
	require.Empty(t, ledger.Unexpected(ids))
	require.Empty(t, ledger.Duplicates(ids))
	require.Equal(t, ids, ledger.IDs(), "oldest first, as generated")
	for e := range ledger.Entries() {
		require.Equal(t, 1, e.Served)
	}
	require.True(t, json.Valid(c.get().body))
}

func TestRangesOfAQuery(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	tenant := sim.Subaccount(0).Tenant
	ids := sim.Add(tenant,
		Record{Time: noon.AddDate(0, 0, -100)},
		Record{Time: noon.AddDate(0, 0, -40)},
		Record{Time: noon.AddDate(0, 0, -20)},
		Record{Time: noon.Add(-time.Minute)},
	)
	c := newCaller(t, sim)
	tests := map[string]struct {
		query []string
		want  []string
	}{
		"without times the last 30 days": {nil, ids[2:]},
		"from alone has an open end":     {[]string{"time_from", "2026-09-14T11:00:00"}, ids[3:]},
		"to alone goes back to the end of retention": {
			[]string{"time_to", "2026-09-01T00:00:00"}, ids[1:3],
		},
		"both":                   {[]string{"time_from", "2026-08-10T00:00:00", "time_to", "2026-08-31T00:00:00"}, ids[2:3]},
		"nothing beyond 90 days": {[]string{"time_from", "2026-01-01T00:00:00", "time_to", "2026-06-15T00:00:00"}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, c.ids(tc.query...))
		})
	}
}

func TestBadQueriesAreRefused(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	c := newCaller(t, sim)
	tests := map[string][]string{
		"zone suffix":      {"time_from", "2026-09-14T11:00:00Z"},
		"other separator":  {"time_from", "2026-09-14 11:00:00"},
		"no time":          {"time_to", "now"},
		"backwards":        {"time_from", "2026-09-14T11:00:00", "time_to", "2026-09-14T10:00:00"},
		"unknown handle":   {"handle", "abc=="},
		"unknown category": {"category", "audit.nothing"},
	}
	for name, query := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, http.StatusBadRequest, c.status(query...))
		})
	}
}

func TestLateRecordsAppearLaterAndOutOfOrder(t *testing.T) {
	now := noon
	sim := New(Options{Now: func() time.Time { return now }})
	tenant := sim.Subaccount(0).Tenant
	ids := sim.Add(tenant,
		Record{Time: noon.Add(-2 * time.Minute), VisibleAt: noon.Add(time.Hour)},
		Record{Time: noon.Add(-time.Minute)},
	)
	c := newCaller(t, sim)
	require.Equal(t, ids[1:], c.ids())
	require.Equal(t, ids[1:], sim.Ledger().IDs(VisibleBy(now)))
	now = noon.Add(time.Hour)
	require.Equal(t, ids, c.ids())
}

func TestCategoryFilter(t *testing.T) {
	sim := New(Options{Seed: 3, Now: at(noon)})
	sim.Generate(sim.Subaccount(0).Tenant, 400, noon.Add(-time.Hour), noon)
	c := newCaller(t, sim)
	want := sim.Ledger().IDs(func(e *Entry) bool {
		return e.Category == CategoryDataAccess || e.Category == CategoryConfiguration
	})
	require.NotEmpty(t, want)
	require.Equal(t, want, c.ids("category", CategoryDataAccess+","+CategoryConfiguration))
}

func TestManyRecordsOfOneMoment(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	sim.Generate(sim.Subaccount(0).Tenant, 1700, noon.Add(-time.Second), noon.Add(-time.Second))
	ids, _ := newCaller(t, sim).all("time_from", "2026-09-14T11:59:59", "time_to", "2026-09-14T11:59:59")
	require.Empty(t, sim.Ledger().Missing(ids))
	require.Len(t, ids, 1700)
}

func TestStragglersAreFiledByTime(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	tenant := sim.Subaccount(0).Tenant
	var ids []string
	for _, minutes := range []int{-10, -30, -20, -5, -40} {
		ids = append(ids, sim.Add(tenant, Record{Time: noon.Add(time.Duration(minutes) * time.Minute)})...)
	}
	sim.Generate(tenant, 3, noon.Add(-35*time.Minute), noon.Add(-34*time.Minute))
	got := newCaller(t, sim).ids()
	require.Len(t, got, 8)
	require.Equal(t, []string{ids[4], ids[1], ids[2], ids[0], ids[3]}, slices.DeleteFunc(got, func(id string) bool { return !slices.Contains(ids, id) }))
}

func TestAnUnauthorizedRetrievalGetsNothing(t *testing.T) {
	now := noon
	sim := New(Options{Now: func() time.Time { return now }, Readings: Readings{TokenLifetime: time.Minute}})
	c := newCaller(t, sim)
	require.Equal(t, http.StatusNoContent, c.status())
	good := c.bearer
	c.bearer = "nonsense"
	require.Equal(t, http.StatusUnauthorized, c.status())
	c.bearer = good
	now = now.Add(time.Minute)
	require.Equal(t, http.StatusUnauthorized, c.status(), "expired")
	c.login()
	require.Equal(t, http.StatusNoContent, c.status())
	sim.RevokeTokens(c.sub.Tenant)
	require.Equal(t, http.StatusUnauthorized, c.status(), "revoked")
	require.Equal(t, 3, sim.Ledger().Answered(KindRecords, http.StatusUnauthorized))
}

func TestSubaccountsSeeOnlyTheirOwn(t *testing.T) {
	sim := New(Options{Subaccounts: 3, Now: at(noon)})
	for i, sub := range sim.Subaccounts() {
		sim.Generate(sub.Tenant, 10+i, noon.Add(-time.Hour), noon)
	}
	for i, sub := range sim.Subaccounts() {
		c := newCaller(t, sim)
		c.sub = sub
		require.Equal(t, sim.Ledger().IDs(InTenant(sub.Tenant)), c.ids())
		require.Equal(t, 10+i, sim.Ledger().Count(InTenant(sub.Tenant)))
	}
}
