// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func ask(t *testing.T, sim *Simulator, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	sim.Admin().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body)))
	return w
}

func TestAdminShowsTheLedgerInNumbers(t *testing.T) {
	sim := New(Options{Seed: 2, Subaccounts: 2, Now: at(noon)})
	sub := sim.Subaccount(0)
	sim.Generate(sub.Tenant, 40, noon.Add(-time.Hour), noon)
	sim.Add(sub.Tenant, Record{Time: noon.Add(-time.Minute), VisibleAt: noon.Add(time.Minute)})
	c := newCaller(t, sim)
	c.ids()
	c.ids()
	var got Summary
	require.NoError(t, json.Unmarshal(ask(t, sim, http.MethodGet, "/_sim/ledger", "").Body.Bytes(), &got))
	require.Equal(t, 41, got.Records)
	require.Equal(t, 40, got.Visible)
	require.Equal(t, 40, got.Served)
	require.Equal(t, 2, got.MaxRate)
	require.Equal(t, map[string]int{"token 200": 1, "records 200": 2}, got.Answers)
	require.Len(t, got.Accounts, 2)
	first := got.Accounts[0]
	require.Equal(t, sub.Tenant, first.Tenant)
	require.Equal(t, 40, first.Repeated)
	sum := 0
	for category, n := range first.Categories {
		require.Equal(t, n, sim.Ledger().Count(InCategory(category), VisibleBy(noon)))
		sum += n
	}
	require.Equal(t, 40, sum)
	newest := time.Time{}
	for e := range sim.Ledger().Entries(VisibleBy(noon)) {
		if e.Time.After(newest) {
			newest = e.Time
		}
	}
	require.Equal(t, newest, *got.Newest)
	require.Nil(t, got.Accounts[1].Newest)
}

func TestAdminListsWhatBecameVisible(t *testing.T) {
	now := noon
	sim := New(Options{Now: func() time.Time { return now }})
	tenant := sim.Subaccount(0).Tenant
	ids := sim.Add(tenant, Record{Time: noon.Add(-time.Hour)}, Record{Time: noon.Add(-2 * time.Hour), VisibleAt: noon.Add(-time.Minute)},
		Record{Time: noon, VisibleAt: noon.Add(time.Minute)})
	list := func(query string) []string {
		w := ask(t, sim, http.MethodGet, "/_sim/records"+query, "")
		require.Equal(t, http.StatusOK, w.Code)
		var out []string
		for raw := range strings.Lines(w.Body.String()) {
			var row listed
			require.NoError(t, json.Unmarshal([]byte(raw), &row))
			require.Equal(t, tenant, row.Tenant)
			require.Equal(t, CategorySecurity, row.Category)
			out = append(out, row.ID)
		}
		return out
	}
	require.Equal(t, ids[:2], list(""))
	require.Equal(t, ids[1:2], list("?since=2026-09-14T11:30:00Z"))
	now = noon.Add(time.Hour)
	require.Equal(t, ids[2:], list("?since=2026-09-14T12:00:00Z"))
	require.Equal(t, http.StatusBadRequest, ask(t, sim, http.MethodGet, "/_sim/records?since=now", "").Code)
}

func TestAdminListsRequestsAndServesTheAPI(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	w := ask(t, sim, http.MethodGet, recordsPath, "")
	require.Equal(t, http.StatusUnauthorized, w.Code)
	var req Request
	require.NoError(t, json.Unmarshal(ask(t, sim, http.MethodGet, "/_sim/requests", "").Body.Bytes(), &req))
	require.Equal(t, KindRecords, req.Kind)
	require.Equal(t, http.StatusUnauthorized, req.Status)
}

func TestAdminReplacesTheScript(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	c := newCaller(t, sim)
	c.login()
	require.Equal(t, http.StatusNoContent, ask(t, sim, http.MethodPost, "/_sim/script", `[{"fault":{"kind":"status","status":503}}]`).Code)
	require.Equal(t, 503, c.status())
	require.Equal(t, http.StatusBadRequest, ask(t, sim, http.MethodPost, "/_sim/script", `[{"fault":{"kind":"dance"}}]`).Code)
	require.Equal(t, http.StatusNoContent, ask(t, sim, http.MethodPost, "/_sim/script", `[]`).Code)
	require.Equal(t, 204, c.status())
}
