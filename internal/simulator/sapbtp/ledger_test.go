// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheLedgerComparesWithWhatWasDelivered(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	tenant := sim.Subaccount(0).Tenant
	ids := sim.Add(tenant, Record{}, Record{VisibleAt: noon.Add(time.Hour)}, Record{Category: CategoryConfiguration})
	twice := sim.Add(tenant, Record{ID: "twin", JSON: []byte(`{"a":1}`)}, Record{ID: "twin", JSON: []byte(`{"a":2}`)})
	ledger := sim.Ledger()
	delivered := append([]string{ids[0], ids[0], ids[0], "stranger", "stranger"}, twice...)
	require.Equal(t, ids[1:], ledger.Missing(delivered))
	require.Equal(t, ids[2:], ledger.Missing(delivered, VisibleBy(noon)))
	require.Equal(t, ids[2:], ledger.Missing(delivered, InCategory(CategoryConfiguration)))
	require.Empty(t, ledger.Missing(delivered, InTenant("other")))
	require.Equal(t, []string{"stranger"}, ledger.Unexpected(delivered))
	require.Equal(t, map[string]int{ids[0]: 2, "stranger": 1}, ledger.Duplicates(delivered), "a twin that exists twice is none")
	require.Equal(t, 5, ledger.Count(Between(noon, noon.Add(time.Second))))
	require.Zero(t, ledger.Count(Between(noon.Add(-time.Second), noon)))
}

func TestEveryRequestIsWrittenDown(t *testing.T) {
	sim := New(Options{Seed: 1, Now: at(noon), KeepRequests: 3})
	sim.Generate(sim.Subaccount(0).Tenant, 501, noon.Add(-time.Hour), noon)
	c := newCaller(t, sim)
	handle := c.get("time_from", "2026-09-14T11:00:00", "category", CategorySecurity+","+CategoryConfiguration+","+CategoryDataAccess+","+CategoryDataModification).handle()
	first := sim.Ledger().Requests(KindRecords)[0]
	require.Equal(t, "2026-09-14T11:00:00", first.From)
	require.Contains(t, first.Category, CategorySecurity)
	require.Equal(t, 1, first.Page)
	require.NotEmpty(t, first.TokenID)
	require.NotContains(t, c.bearer, first.TokenID, "the id, not the token")
	require.Equal(t, c.sub.Tenant, first.Tenant)
	require.Equal(t, c.sub.ClientID, first.ClientID)
	require.Empty(t, handle, "the unknown category was filtered out")

	handle = c.get().handle()
	require.Len(t, c.ids("handle", handle), 1)
	requests := sim.Ledger().Requests()
	require.Len(t, requests, 3, "only the last ones are listed")
	last := requests[2]
	require.Equal(t, handle, last.Handle)
	require.Equal(t, 2, last.Page)
	require.Equal(t, 1, last.Rows)
	require.Equal(t, 3, sim.Ledger().Total(KindRecords), "but all are counted")
	require.Equal(t, 1, sim.Ledger().Total(KindToken))
}

func TestSecretsInWrongPlacesAreSeen(t *testing.T) {
	token := func(r *http.Request, c *caller) { r.Header.Set("Authorization", "Bearer "+c.bearer) }
	tests := map[string]struct {
		method string
		target func(*caller) string
		form   bool
		change func(*http.Request, *caller)
		want   string // secret and place; empty for none
	}{
		"token at the API": {http.MethodGet, func(c *caller) string { return c.sub.Endpoint + recordsPath }, false, token, ""},
		"secret at UAA":    {http.MethodPost, func(c *caller) string { return c.sub.TokenURL + uaaPath }, true, nil, ""},
		"secret in the URL": {http.MethodPost, func(c *caller) string {
			return c.sub.TokenURL + uaaPath + "?client_secret=" + url.QueryEscape(c.sub.ClientSecret)
		}, false, nil, "client_secret url"},
		"secret under another name": {http.MethodGet, func(c *caller) string {
			return c.sub.Endpoint + recordsPath + "?x=" + url.QueryEscape(c.sub.ClientSecret)
		}, false, token, "client_secret url"},
		"token in the URL":         {http.MethodGet, func(c *caller) string { return c.sub.Endpoint + recordsPath + "?access_token=" + c.bearer }, false, token, "token url"},
		"Basic at the API":         {http.MethodGet, func(c *caller) string { return c.sub.Endpoint + recordsPath }, false, func(r *http.Request, c *caller) { r.SetBasicAuth(c.sub.ClientID, c.sub.ClientSecret) }, "client_secret authorization"},
		"token at UAA":             {http.MethodGet, func(c *caller) string { return c.sub.TokenURL + recordsPath }, false, token, "token authorization"},
		"secret with certificates": {http.MethodPost, func(c *caller) string { return c.sub.CertURL + uaaPath }, true, nil, "client_secret body"},
		"token elsewhere":          {http.MethodGet, func(*caller) string { return "https://" + ElsewhereHost + "/" }, false, token, "token authorization"},
		"secret elsewhere":         {http.MethodPost, func(*caller) string { return "https://" + ElsewhereHost + uaaPath }, true, nil, "client_secret body"},
		"Basic elsewhere":          {http.MethodGet, func(*caller) string { return "https://" + ElsewhereHost + "/" }, false, func(r *http.Request, c *caller) { r.SetBasicAuth(c.sub.ClientID, c.sub.ClientSecret) }, "client_secret authorization"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			sim := New(Options{Now: at(noon)})
			c := newCaller(t, sim)
			cert := sim.IssueClientCert(c.sub.Tenant, time.Hour).TLS
			c.client.Transport = sim.Transport(WithClientCertificate(func() *tls.Certificate { return &cert }))
			c.login()
			req, err := http.NewRequestWithContext(t.Context(), tc.method, tc.target(c), http.NoBody)
			require.NoError(t, err)
			if tc.form {
				req.Body = formBody(c)
			}
			if tc.change != nil {
				tc.change(req, c)
			}
			_, err = c.send(req)
			require.NoError(t, err)
			leaks := sim.Ledger().Leaks()
			if tc.want == "" {
				require.Empty(t, leaks)
				return
			}
			require.NotEmpty(t, leaks)
			require.Equal(t, tc.want, leaks[0].Secret+" "+leaks[0].Where)
			require.Equal(t, req.URL.Host, leaks[0].Host)
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	sim := New(Options{Seed: 1, Readings: Readings{OwnRecords: true, RateLimit: RateLimit{PerSecond: 1e6, Burst: 100}}})
	tenant := sim.Subaccount(0).Tenant
	sim.Generate(tenant, 600, time.Now().Add(-time.Hour), time.Now())
	require.NoError(t, sim.Script(Rule{Match: Match{Every: 5}, Fault: Fault{Kind: FaultStatus, Status: 503}}))
	c := newCaller(t, sim)
	live := sim.Live(1000)
	var all sync.WaitGroup
	for range 4 {
		req := c.request("time_from", "2020-01-01T00:00:00")
		all.Go(func() {
			for range 5 {
				_, err := c.send(req)
				assert.NoError(t, err)
			}
		})
	}
	all.Go(func() {
		for i := range 20 {
			live.Tick(time.Now().Add(time.Duration(i) * time.Second))
			sim.Ledger().Summary()
			sim.Ledger().Missing(nil, VisibleBy(time.Now()))
		}
	})
	all.Wait()
	require.Equal(t, 20, sim.Ledger().Total(KindRecords))
	require.Equal(t, 4, sim.Ledger().Answered(KindRecords, http.StatusServiceUnavailable))
	require.Equal(t, len(sim.Ledger().IDs()), sim.Ledger().Summary().Records)
}
