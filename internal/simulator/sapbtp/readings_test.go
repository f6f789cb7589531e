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

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func TestEdgesInAllReadings(t *testing.T) {
	// Seven records around 11:00:00 and 11:00:10, asked for with exactly these edges.
	second := time.Date(2026, 9, 14, 11, 0, 0, 0, time.UTC)
	offsets := []time.Duration{-time.Millisecond, 0, 500 * time.Millisecond, 9999 * time.Millisecond, 10 * time.Second, 10500 * time.Millisecond, 11 * time.Second}
	tests := map[string]struct {
		readings Readings
		want     []int
	}{
		"both inclusive":                {Readings{}, []int{1, 2, 3, 4}},
		"from exclusive":                {Readings{From: Exclusive}, []int{2, 3, 4}},
		"to exclusive":                  {Readings{To: Exclusive}, []int{1, 2, 3}},
		"both exclusive":                {Readings{From: Exclusive, To: Exclusive}, []int{2, 3}},
		"whole seconds, both inclusive": {Readings{WholeSeconds: true}, []int{1, 2, 3, 4, 5}},
		"whole seconds, from exclusive": {Readings{WholeSeconds: true, From: Exclusive}, []int{3, 4, 5}},
		"whole seconds, to exclusive":   {Readings{WholeSeconds: true, To: Exclusive}, []int{1, 2, 3}},
		"whole seconds, both exclusive": {Readings{WholeSeconds: true, From: Exclusive, To: Exclusive}, []int{3}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			sim := New(Options{Now: at(noon), Readings: tc.readings})
			var ids []string
			for _, o := range offsets {
				ids = append(ids, sim.Add(sim.Subaccount(0).Tenant, Record{Time: second.Add(o)})...)
			}
			var want []string
			for _, i := range tc.want {
				want = append(want, ids[i])
			}
			require.Equal(t, want, newCaller(t, sim).ids("time_from", "2026-09-14T11:00:00", "time_to", "2026-09-14T11:00:10"))
		})
	}
}

func TestRangesThatAreTooLongAreRefused(t *testing.T) {
	sim := New(Options{Now: at(noon), Readings: Readings{MaxRange: time.Minute}})
	c := newCaller(t, sim)
	require.Equal(t, http.StatusNoContent, c.status("time_from", "2026-09-14T11:00:00", "time_to", "2026-09-14T11:01:00"))
	require.Equal(t, http.StatusBadRequest, c.status("time_from", "2026-09-14T11:00:00", "time_to", "2026-09-14T11:01:01"))
	require.Equal(t, http.StatusBadRequest, c.status("time_from", "2026-09-14T11:00:01", "time_to", "2026-09-14T11:00:00"))
}

func TestFractionsInAllReadings(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	ids := sim.Add(sim.Subaccount(0).Tenant, Record{Time: noon.Add(-10*time.Second + 300*time.Millisecond)})
	c := newCaller(t, sim)
	query := []string{"time_from", "2026-09-14T11:59:50.500", "time_to", "2026-09-14T11:59:59.000"}
	require.Empty(t, c.ids(query...), "honoured")
	sim.Configure(func(r *Readings) { r.QueryFraction = FractionTruncated })
	require.Equal(t, ids, c.ids(query...))
	sim.Configure(func(r *Readings) { r.QueryFraction = FractionRefused })
	require.Equal(t, http.StatusBadRequest, c.status(query...))
}

func TestOrdersAreTheSameOnEveryPage(t *testing.T) {
	for order, check := range map[Order]func(t *testing.T, want, got []string){
		OldestFirst: func(t *testing.T, want, got []string) { t.Helper(); require.Equal(t, want, got) },
		NewestFirst: func(t *testing.T, want, got []string) { t.Helper(); slices.Reverse(got); require.Equal(t, want, got) },
		Shuffled: func(t *testing.T, want, got []string) {
			t.Helper()
			require.NotEqual(t, want, got)
			require.ElementsMatch(t, want, got)
		},
	} {
		for _, paging := range []Paging{Snapshot, LiveView} {
			sim := New(Options{Now: at(noon), Readings: Readings{Order: order, Paging: paging}})
			sim.Generate(sim.Subaccount(0).Tenant, 1100, noon.Add(-time.Hour), noon)
			ids, pages := newCaller(t, sim).all()
			require.Equal(t, 3, pages)
			check(t, sim.Ledger().IDs(), ids)
		}
	}
}

func TestWhatAppearsWhilePagingStaysOutOfASnapshot(t *testing.T) {
	for paging, want := range map[Paging]struct{ rows, repeated int }{Snapshot: {600, 0}, LiveView: {601, 1}} {
		sim := New(Options{Now: at(noon), Readings: Readings{Paging: paging}})
		tenant := sim.Subaccount(0).Tenant
		sim.Generate(tenant, 600, noon.Add(-time.Hour), noon)
		c := newCaller(t, sim)
		resp := c.get()
		ids := resp.ids(t)
		sim.Add(tenant, Record{Time: noon.Add(-2 * time.Hour)})
		ids = append(ids, c.ids("handle", resp.handle())...)
		require.Len(t, ids, want.rows)
		require.Len(t, sim.Ledger().Duplicates(ids), want.repeated)
	}
}

func TestFollowUpRequests(t *testing.T) {
	times := []string{"time_from", "2026-09-14T11:00:00", "time_to", "2026-09-14T12:00:00"}
	tests := map[string]struct {
		reading            FollowUp
		alone, with, other int
	}{
		"either":     {HandleAndMaybeTimes, 200, 200, 200},
		"alone":      {HandleAlone, 200, 400, 400},
		"with times": {HandleWithTimes, 400, 200, 400},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			sim := New(Options{Now: at(noon), Readings: Readings{FollowUp: tc.reading}})
			sim.Generate(sim.Subaccount(0).Tenant, 600, noon.Add(-time.Hour), noon)
			c := newCaller(t, sim)
			resp := c.get(times...)
			require.Len(t, resp.ids(t), 500)
			handle := resp.handle()
			require.Equal(t, tc.alone, c.status("handle", handle))
			require.Equal(t, tc.with, c.status(append([]string{"handle", handle}, times...)...))
			require.Equal(t, tc.other, c.status("handle", handle, "time_from", "2026-09-14T10:00:00", "time_to", "2026-09-14T12:00:00"))
		})
	}
}

func TestHandleForms(t *testing.T) {
	for form, look := range map[HandleForm]string{
		HandleBase64:      `^[A-Za-z0-9+/]+==$`,
		HandleTimeID:      `^2026-[-0-9T:.]+Z<[-0-9a-f]{36}$`,
		HandleTimeIDTime:  `^2026-[-0-9T:.]+Z<[-0-9a-f]{36}<2026-[-0-9T:.]+Z$`,
		HandleTimeEscaped: `^2026-[-0-9T:.]+Z%3C[-0-9a-f]{36}$`,
	} {
		sim := New(Options{Now: at(noon), Readings: Readings{Handles: form}})
		sim.Generate(sim.Subaccount(0).Tenant, 1000, noon.Add(-time.Hour), noon)
		c := newCaller(t, sim)
		require.Regexp(t, look, c.get().handle())
		ids, pages := c.all()
		require.Equal(t, 2, pages, "no handle after a page that is exactly full")
		require.Empty(t, sim.Ledger().Missing(ids))
	}
}

func TestEscapedHandleWorksAsMeant(t *testing.T) {
	sim := New(Options{Now: at(noon), Readings: Readings{Handles: HandleTimeEscaped}})
	sim.Generate(sim.Subaccount(0).Tenant, 600, noon.Add(-time.Hour), noon)
	c := newCaller(t, sim)
	handle := c.get().handle()
	req := c.request()
	req.URL.RawQuery = "handle=" + handle // not encoded again
	resp, err := c.send(req)
	require.NoError(t, err)
	require.Len(t, resp.ids(t), 100)
}

func TestHandlesExpire(t *testing.T) {
	now := noon
	sim := New(Options{Now: func() time.Time { return now }, Readings: Readings{HandleAge: time.Minute, HandleUses: 2}})
	sim.Generate(sim.Subaccount(0).Tenant, 600, noon.Add(-time.Hour), noon)
	c := newCaller(t, sim)
	handle := c.get().handle()
	require.Equal(t, http.StatusOK, c.status("handle", handle))
	require.Equal(t, http.StatusOK, c.status("handle", handle))
	require.Equal(t, http.StatusBadRequest, c.status("handle", handle), "used up")
	handle = c.get().handle()
	now = now.Add(time.Minute)
	require.Equal(t, http.StatusOK, c.status("handle", handle))
	now = now.Add(time.Second)
	require.Equal(t, http.StatusBadRequest, c.status("handle", handle), "too old")
}

func TestMessageForms(t *testing.T) {
	for form, kinds := range map[MessageForm]string{MessageString: `"`, MessageObject: `{`, MessageMixed: `"{`} {
		sim := New(Options{Now: at(noon), Readings: Readings{Messages: form}})
		for range 4 {
			sim.Add(sim.Subaccount(0).Tenant, Record{Time: noon.Add(-time.Minute)})
		}
		var rows []outer
		require.NoError(t, json.Unmarshal(newCaller(t, sim).get().body, &rows))
		seen := map[byte]bool{}
		for _, r := range rows {
			seen[r.Message[0]] = true
			require.Contains(t, kinds, string(r.Message[0]))
		}
		require.Len(t, seen, len(kinds))
	}
}

func TestRetrievalsLeaveTheirOwnRecords(t *testing.T) {
	sim := New(Options{Now: at(noon), Readings: Readings{OwnRecords: true}})
	c := newCaller(t, sim)
	require.Len(t, c.ids(), 2, "of the token")
	require.Len(t, c.ids(), 4, "and of the first retrieval")
	producers := map[string]int{}
	for e := range sim.Ledger().Entries() {
		producers[e.Producer]++
	}
	require.Equal(t, map[string]int{"self-client": 1, "self-token": 1, "audit-log-read": 2, "self-login": 2}, producers)
}

func TestEmptyAnswers(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	c := newCaller(t, sim)
	require.Equal(t, http.StatusNoContent, c.status())
	sim.Configure(func(r *Readings) { r.EmptyArray = true })
	require.Equal(t, "[]", string(c.get().body))

	sim.Configure(func(r *Readings) { *r = Readings{TrailingHandle: true} })
	sim.Generate(c.sub.Tenant, 500, noon.Add(-time.Hour), noon)
	resp := c.get()
	require.Len(t, resp.ids(t), 500)
	require.Equal(t, http.StatusNoContent, c.status("handle", resp.handle()))

	sim.Configure(func(r *Readings) { *r = Readings{EmptyHandle: true} })
	resp = c.get()
	require.Equal(t, "handle=", resp.header.Get("Paging"))
}

func TestCategoryMayBeUnsupported(t *testing.T) {
	sim := New(Options{Now: at(noon), Readings: Readings{NoCategory: true}})
	c := newCaller(t, sim)
	resp := c.get("category", CategorySecurity)
	require.Equal(t, http.StatusNotImplemented, resp.status)
	require.JSONEq(t, `{"error":{"code":"filter_category_not_supported","message":"Filtering by category is not supported"}}`, string(resp.body))
	require.Equal(t, http.StatusNoContent, c.status())
}

func TestDateHeader(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	c := newCaller(t, sim)
	require.Equal(t, noon.Format(http.TimeFormat), c.get().header.Get("Date"))
	sim.Configure(func(r *Readings) { r.DateSkew = -time.Hour })
	require.Equal(t, noon.Add(-time.Hour).Format(http.TimeFormat), c.get().header.Get("Date"))
	sim.Configure(func(r *Readings) { r.NoDate = true })
	require.NotContains(t, c.get().header, "Date")
}

func TestRateLimitQueuesAndThenRefuses(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		sim := New(Options{Readings: Readings{RateLimit: RateLimit{PerSecond: 4, Burst: 3, RetryAfter: true}}})
		c := newCaller(t, sim)
		c.login()
		began := time.Now()
		done := make(chan int, 6)
		for range 6 {
			req := c.request()
			go func() {
				resp, err := c.send(req)
				if err != nil {
					done <- 0
					return
				}
				if resp.status == http.StatusTooManyRequests && resp.header.Get("Retry-After") != "1" {
					done <- -1
					return
				}
				done <- resp.status
			}()
		}
		var got []int
		for range 6 {
			got = append(got, <-done)
		}
		slices.Sort(got)
		require.Equal(t, []int{204, 204, 204, 204, 429, 429}, got)
		require.Equal(t, 750*time.Millisecond, time.Since(began), "one at once, three from the queue")
		require.Equal(t, 6, sim.Ledger().MaxRate(c.sub.Tenant))
		require.Equal(t, 2, sim.Ledger().Answered(KindRecords, http.StatusTooManyRequests))
	})
}

func TestMaxRateLooksAtEverySecond(t *testing.T) {
	now := noon
	sim := New(Options{Now: func() time.Time { return now }})
	c := newCaller(t, sim)
	for _, gap := range []int{900, 100, 100, 799, 1, 2000} {
		require.Equal(t, http.StatusNoContent, c.status())
		now = now.Add(time.Duration(gap) * time.Millisecond)
	}
	require.Equal(t, 4, sim.Ledger().MaxRate(c.sub.Tenant))
	require.Equal(t, 6, sim.Ledger().Total(KindRecords))
}

func TestTokensWithoutExpiry(t *testing.T) {
	sim := New(Options{Now: at(noon), Readings: Readings{NoExpiresIn: true}})
	c := newCaller(t, sim)
	resp, err := c.post(c.sub.TokenURL, c.form())
	require.NoError(t, err)
	require.NotContains(t, string(resp.body), "expires_in")
}

func TestForgottenHandlesExpireBeforeMemoryEnds(t *testing.T) {
	r := &retrievals{dice: newDice(1, 1), sessions: map[string]*session{}}
	step := &session{list: make([]uint32, pageSize)}
	first := r.keep(step, noon, HandleBase64)
	last := ""
	for range maxHeld / step.weight() {
		last = r.keep(step, noon, HandleBase64)
	}
	require.Nil(t, r.find(first))
	require.NotNil(t, r.find(last))
	require.LessOrEqual(t, r.held, maxHeld)
	require.Len(t, r.sessions, len(r.order))
}
