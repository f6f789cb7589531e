// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"context"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// overBoth runs a check in memory and over a real listener. There are 600 records.
func overBoth(t *testing.T, fault Fault, match Match, check func(*testing.T, *Simulator, *caller)) {
	t.Helper()
	run := func(t *testing.T, listen bool) {
		t.Helper()
		sim := New(Options{Seed: 4, Now: at(noon)})
		sim.Generate(sim.Subaccount(0).Tenant, 600, noon.Add(-time.Hour), noon)
		if listen {
			start(t, sim, StartOptions{Elsewhere: true})
		}
		c := newCaller(t, sim)
		if listen {
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			c.client.Transport = transport
		}
		if match.Kind != KindToken {
			c.login()
		}
		require.NoError(t, sim.Script(Rule{Match: match, Fault: fault}))
		check(t, sim, c)
	}
	t.Run("memory", func(t *testing.T) { run(t, false) })
	t.Run("listener", func(t *testing.T) { run(t, true) })
}

func TestStatusFaults(t *testing.T) {
	tests := map[string]struct {
		fault      Fault
		kind       Kind
		body       string
		retryAfter string
	}{
		"204":                {Fault{Status: 204}, KindRecords, "", ""},
		"400":                {Fault{Status: 400}, KindRecords, `"error"`, ""},
		"403":                {Fault{Status: 403}, KindRecords, `"error"`, ""},
		"429 without a hint": {Fault{Status: 429}, KindRecords, "<html>", ""},
		"429 with seconds":   {Fault{Status: 429, RetryAfter: "7"}, KindRecords, "<html>", "7"},
		"429 with a date":    {Fault{Status: 429, RetryAfter: "@30s"}, KindRecords, "<html>", "Mon, 14 Sep 2026 12:00:30 GMT"},
		"429 with nonsense":  {Fault{Status: 429, RetryAfter: "soon"}, KindRecords, "<html>", "soon"},
		"500":                {Fault{Status: 500}, KindRecords, "<html>", ""},
		"501":                {Fault{Status: 501}, KindRecords, `"filter_category_not_supported"`, ""},
		"504 with a body":    {Fault{Status: 504, Text: "upstream"}, KindRecords, "upstream", ""},
		"401 of UAA":         {Fault{Status: 401}, KindToken, `"error":"unauthorized"`, ""},
		"503 of UAA":         {Fault{Status: 503}, KindToken, "<html>", ""},
		"429 of UAA":         {Fault{Status: 429, RetryAfter: "1"}, KindToken, "<html>", "1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			fault := tc.fault
			fault.Kind = FaultStatus
			overBoth(t, fault, Match{Kind: tc.kind}, func(t *testing.T, sim *Simulator, c *caller) {
				t.Helper()
				var resp *answer
				if tc.kind == KindToken {
					var err error
					resp, err = c.post(c.sub.TokenURL, c.form())
					require.NoError(t, err)
				} else {
					resp = c.get()
				}
				require.Equal(t, fault.Status, resp.status)
				require.Equal(t, tc.retryAfter, resp.header.Get("Retry-After"))
				require.Contains(t, string(resp.body), tc.body)
				require.Equal(t, 1, sim.Ledger().Answered(tc.kind, fault.Status))
			})
		})
	}
}

func TestRevokedTokenStaysRevoked(t *testing.T) {
	overBoth(t, Fault{Kind: FaultRevoke}, Match{Page: 2}, func(t *testing.T, sim *Simulator, c *caller) {
		t.Helper()
		handle := c.get().handle()
		require.Equal(t, http.StatusUnauthorized, c.status("handle", handle))
		require.NoError(t, sim.Script())
		require.Equal(t, http.StatusUnauthorized, c.status("handle", handle))
		c.login()
		require.Equal(t, http.StatusOK, c.status("handle", handle))
	})
}

func TestReset(t *testing.T) {
	overBoth(t, Fault{Kind: FaultReset}, Match{}, func(t *testing.T, sim *Simulator, c *caller) {
		t.Helper()
		_, err := c.send(c.request())
		require.ErrorIs(t, err, syscall.ECONNRESET)
		// net/http by itself repeats a GET on a kept connection that broke.
		require.NotZero(t, sim.Ledger().Answered(KindRecords, 0))
		for e := range sim.Ledger().Entries() {
			require.Zero(t, e.Served)
		}
	})
}

func TestHTMLInPlaceOfJSON(t *testing.T) {
	overBoth(t, Fault{Kind: FaultHTML}, Match{}, func(t *testing.T, _ *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		require.Equal(t, http.StatusOK, resp.status)
		require.Equal(t, "text/html", resp.header.Get("Content-Type"))
		require.Contains(t, string(resp.body), "Sign in")
	})
}

func TestRedirectsLeadToAStrangerWhoTellsTheLedger(t *testing.T) {
	overBoth(t, Fault{Kind: FaultRedirect}, Match{}, func(t *testing.T, sim *Simulator, c *caller) {
		t.Helper()
		req := c.request()
		resp, err := c.send(req)
		require.NoError(t, err)
		require.Equal(t, http.StatusFound, resp.status)
		require.Empty(t, sim.Ledger().Leaks(), "nobody followed")

		follow, err := http.NewRequestWithContext(t.Context(), http.MethodGet, resp.header.Get("Location"), http.NoBody)
		require.NoError(t, err)
		follow.Header.Set("Authorization", req.Header.Get("Authorization"))
		require.NoError(t, sim.Script())
		resp, err = c.send(follow)
		require.NoError(t, err)
		require.Equal(t, "[]", string(resp.body))
		leaks := sim.Ledger().Leaks()
		require.Len(t, leaks, 1)
		require.Equal(t, "token", leaks[0].Secret)
		require.Equal(t, follow.URL.Host, leaks[0].Host)
	})
	overBoth(t, Fault{Kind: FaultRedirect, Status: 308}, Match{Kind: KindToken}, func(t *testing.T, sim *Simulator, c *caller) {
		t.Helper()
		c.client.CheckRedirect = nil
		_, err := c.post(c.sub.TokenURL, c.form())
		require.NoError(t, err, "a careless client follows, and its secret with it")
		require.Equal(t, http.StatusPermanentRedirect, sim.Ledger().Requests(KindToken)[0].Status)
		require.NotEmpty(t, sim.Ledger().Leaks())
		require.Equal(t, "body", sim.Ledger().Leaks()[0].Where)
	})
}

func TestDateFaults(t *testing.T) {
	for want, fault := range map[string]Fault{
		"Mon, 14 Sep 2026 10:00:00 GMT": {Kind: FaultDate, Delay: Duration(-2 * time.Hour)},
		"yesterday":                     {Kind: FaultDate, Text: "yesterday"},
		"":                              {Kind: FaultNoDate},
	} {
		overBoth(t, fault, Match{}, func(t *testing.T, _ *Simulator, c *caller) {
			t.Helper()
			resp := c.get()
			require.Equal(t, want, resp.header.Get("Date"))
			require.Len(t, resp.ids(t), 500)
		})
	}
}

func TestSlowAnswersHonourTheContext(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		sim := New(Options{})
		sim.Generate(sim.Subaccount(0).Tenant, 10, time.Now().Add(-time.Hour), time.Now())
		c := newCaller(t, sim)
		c.login()
		require.NoError(t, sim.Script(Rule{Fault: Fault{Kind: FaultSlow}}))
		began := time.Now()
		require.Equal(t, http.StatusOK, c.status())
		require.Equal(t, 30*time.Second, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		_, err := c.send(c.request().WithContext(ctx))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))

		require.NoError(t, sim.Script(Rule{Fault: Fault{Kind: FaultTrickle}}))
		began = time.Now()
		resp := c.get()
		require.GreaterOrEqual(t, time.Since(began), time.Duration(len(resp.body)/1024)*100*time.Millisecond)

		c.client.Timeout = 200 * time.Millisecond
		require.ErrorIs(t, c.get().broken, context.DeadlineExceeded)
	})
}

func TestTrickleOverAListener(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	sim.Generate(sim.Subaccount(0).Tenant, 5, noon.Add(-time.Hour), noon)
	start(t, sim, StartOptions{})
	c := newCaller(t, sim)
	c.client.Transport = nil
	t.Cleanup(c.client.CloseIdleConnections)
	c.login()
	require.NoError(t, sim.Script(Rule{Fault: Fault{Kind: FaultTrickle, Bytes: 2000, Delay: Duration(time.Millisecond)}}))
	require.Len(t, c.ids(), 5)
}
