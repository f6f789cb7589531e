// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
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

func TestTruncatedAnswerBreaksOff(t *testing.T) {
	overBoth(t, Fault{Kind: FaultTruncate, Bytes: 1000}, Match{}, func(t *testing.T, sim *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		require.Greater(t, resp.length, int64(100_000))
		require.ErrorIs(t, resp.broken, io.ErrUnexpectedEOF)
		require.Len(t, resp.body, 1000)
		for e := range sim.Ledger().Entries() {
			require.Zero(t, e.Served)
		}
	})
}

func TestHalfADocumentEndsCleanly(t *testing.T) {
	overBoth(t, Fault{Kind: FaultHalf}, Match{}, func(t *testing.T, sim *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		body := resp.body
		require.Len(t, body, int(resp.length))
		require.False(t, json.Valid(body))
		require.Zero(t, sim.Ledger().Count(func(e *Entry) bool { return e.Served > 0 }))
	})
}

func TestBodiesThatGrow(t *testing.T) {
	for name, fault := range map[string]Fault{
		"oversize": {Kind: FaultOversize, Bytes: mebibyte},
		"bomb":     {Kind: FaultBomb, Bytes: mebibyte},
		"huge":     {Kind: FaultHuge, Bytes: mebibyte},
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, fault, Match{}, func(t *testing.T, _ *Simulator, c *caller) {
				t.Helper()
				body := c.get().body
				require.Greater(t, len(body), mebibyte)
				require.True(t, json.Valid(body))
			})
		})
	}
}

func TestCompressedAnswers(t *testing.T) {
	overBoth(t, Fault{Kind: FaultGzip}, Match{}, func(t *testing.T, _ *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		require.True(t, resp.inflated)
		require.Equal(t, int64(-1), resp.length)
		require.Len(t, resp.ids(t), 500)

		asked := c.request()
		asked.Header.Set("Accept-Encoding", "gzip")
		resp, err := c.send(asked)
		require.NoError(t, err)
		require.Equal(t, "gzip", resp.header.Get("Content-Encoding"), "who asks for it gets it raw")
		require.Equal(t, []byte{0x1f, 0x8b}, resp.body[:2])

		plain := c.request()
		plain.Header.Set("Accept-Encoding", "identity")
		resp, err = c.send(plain)
		require.NoError(t, err)
		require.Len(t, resp.ids(t), 500)
	})
}

func TestDamagedRecords(t *testing.T) {
	tests := map[string]struct {
		fault Fault
		check func(*testing.T, []byte)
	}{
		"null row":   {Fault{Kind: FaultGarbage}, func(t *testing.T, b []byte) { t.Helper(); require.Contains(t, string(b), ",null,") }},
		"number row": {Fault{Kind: FaultGarbage, Text: "42"}, func(t *testing.T, b []byte) { t.Helper(); require.Contains(t, string(b), ",42,") }},
		"utf8":       {Fault{Kind: FaultUTF8}, func(t *testing.T, b []byte) { t.Helper(); require.True(t, bytes.Contains(b, []byte{0xff, 0xfe})) }},
		"deep": {Fault{Kind: FaultDeep, Bytes: 900}, func(t *testing.T, b []byte) {
			t.Helper()
			require.Contains(t, string(b), strings.Repeat("[", 900)+strings.Repeat("]", 900)+"}")
			require.True(t, json.Valid(b))
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			overBoth(t, tc.fault, Match{}, func(t *testing.T, sim *Simulator, c *caller) {
				t.Helper()
				body := c.get().body
				tc.check(t, body)
				require.Equal(t, 500, strings.Count(string(body), `{"message_uuid":`), "all records are there")
				require.Equal(t, 500, sim.Ledger().Count(func(e *Entry) bool { return e.Served == 1 }))
			})
		})
	}
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

func TestPagingFaults(t *testing.T) {
	overBoth(t, Fault{Kind: FaultNoHandle}, Match{}, func(t *testing.T, _ *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		require.Len(t, resp.ids(t), 500)
		require.NotContains(t, resp.header, "Paging")
	})
	overBoth(t, Fault{Kind: FaultRepeatHandle}, Match{Page: 2}, func(t *testing.T, _ *Simulator, c *caller) {
		t.Helper()
		first := c.get().handle()
		resp := c.get("handle", first)
		require.Equal(t, first, resp.handle())
		once := resp.ids(t)
		require.Equal(t, once, c.ids("handle", first))
	})
	for kind, rows := range map[FaultKind]int{FaultEndlessEmpty: 0, FaultEndlessRows: 100} {
		overBoth(t, Fault{Kind: kind}, Match{Page: 2}, func(t *testing.T, sim *Simulator, c *caller) {
			t.Helper()
			resp := c.get("handle", c.get().handle())
			require.Len(t, resp.ids(t), 100)
			seen := map[string]bool{}
			for range 5 {
				handle := resp.handle()
				require.False(t, seen[handle], "always a new handle")
				seen[handle] = true
				resp = c.get("handle", handle)
				require.Equal(t, http.StatusOK, resp.status)
				require.Len(t, resp.ids(t), rows)
			}
			require.NoError(t, sim.Script())
			resp = c.get("handle", resp.handle())
			require.Empty(t, resp.handle(), "all is well again")
		})
	}
}

func TestTokenFaults(t *testing.T) {
	type answer struct {
		Token   string `json:"access_token"`
		Expires *int   `json:"expires_in"`
	}
	tests := map[string]struct {
		fault   Fault
		expires int // -1: not told
		after   map[time.Duration]int
	}{
		"short": {Fault{Kind: FaultShortToken, Delay: Duration(10 * time.Second)}, 10, map[time.Duration]int{9 * time.Second: 204, 10 * time.Second: 401}},
		"dead":  {Fault{Kind: FaultDeadToken}, 43199, map[time.Duration]int{time.Second: 401}},
		"mute":  {Fault{Kind: FaultNoExpiry}, -1, map[time.Duration]int{11 * time.Hour: 204, 12 * time.Hour: 401}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			now := noon
			sim := New(Options{Now: func() time.Time { return now }})
			require.NoError(t, sim.Script(Rule{Fault: tc.fault}))
			c := newCaller(t, sim)
			resp, err := c.post(c.sub.TokenURL, c.form())
			require.NoError(t, err)
			var got answer
			require.NoError(t, json.Unmarshal(resp.body, &got))
			if tc.expires < 0 {
				require.Nil(t, got.Expires)
			} else {
				require.Equal(t, tc.expires, *got.Expires)
			}
			c.bearer = got.Token
			for after, want := range tc.after {
				now = noon.Add(after)
				require.Equal(t, want, c.status(), after)
			}
		})
	}
}

func TestSlowAnswersHonourTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
