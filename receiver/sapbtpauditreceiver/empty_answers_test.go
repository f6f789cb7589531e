// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// filtersAfterPaging makes a server that filters by category after paging: pages are shorter than usual although more follow.
type filtersAfterPaging struct {
	next http.RoundTripper
	only string
}

func (f filtersAfterPaging) RoundTrip(req *http.Request) (*http.Response, error) {
	q := req.URL.Query()
	q.Del("category")
	all := req.Clone(req.Context())
	all.URL.RawQuery = q.Encode()
	resp, err := f.next.RoundTrip(all)
	if err != nil || resp.StatusCode != http.StatusOK || req.Method != http.MethodGet {
		return resp, err
	}
	var records, kept []map[string]any
	err = json.NewDecoder(resp.Body).Decode(&records)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if r["category"] == f.only {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		kept = []map[string]any{}
	}
	page, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(page)), int64(len(page))
	return resp, nil
}

// A handle promises more, whatever the size of its page; an answer without records that follows it may be a fault.
func TestAPromisedPageWithoutRecordsIsAskedForAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		fault func(*http.Request) (*http.Response, error)
		ends  map[int]int // the page that has none, by look at the window
	}{
		"never":               {},
		"204":                 {answer(http.StatusNoContent, ""), map[int]int{1: 2}},
		"an empty array":      {answer(http.StatusOK, "[]"), map[int]int{1: 2}},
		"ever later":          {answer(http.StatusNoContent, ""), map[int]int{1: 2, 2: 3, 3: 4}},
		"ever earlier":        {answer(http.StatusNoContent, ""), map[int]int{1: 4, 2: 3, 3: 2}},
		"then no page at all": {answer(http.StatusNoContent, ""), map[int]int{1: 2, 2: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 174}, func(c *Config) {
					c.InitialLookback = 10 * 24 * time.Hour
					c.Categories = []string{sapbtp.CategorySecurity}
				})
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 6000, now.Add(-9*24*time.Hour), now.Add(-9*24*time.Hour+8*time.Hour))
				w.transport = filtersAfterPaging{next: w.transport, only: sapbtp.CategorySecurity}
				var faults atomic.Int64
				w.alterPages(func(req *http.Request, _ *http.Response, look, page int) *http.Response {
					if tc.ends[look] != page {
						return nil
					}
					faults.Add(1)
					other, _ := tc.fault(req)
					return other
				})
				w.runFor(24 * time.Hour)
				if len(tc.ends) > 0 {
					require.Positive(t, faults.Load())
				}
				w.requireExactlyOnce(sapbtp.InCategory(sapbtp.CategorySecurity))
			})
		})
	}
}

// Where paging always ends on a page without records, looking again costs a second chain and no more.
func TestPagingThatAlwaysEndsWithoutRecordsIsReadTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 175}, func(c *Config) { c.InitialLookback = 10 * 24 * time.Hour })
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 5000, now.Add(-9*24*time.Hour), now.Add(-8*24*time.Hour))
		var chains sync.Map
		w.alterPages(func(req *http.Request, resp *http.Response, look, _ int) *http.Response {
			window := req.URL.Query().Get("time_from") + req.URL.Query().Get("time_to")
			switch {
			case req.URL.Query().Get("handle") == "after the last":
				other, _ := answer(http.StatusNoContent, "")(req)
				return other
			case resp.StatusCode == http.StatusOK && resp.Header.Get("Paging") == "":
				chains.Store(window, look)
				resp.Header.Set("Paging", "handle=after the last")
			}
			return nil
		})
		w.runFor(time.Hour)
		w.requireExactlyOnce()
		windows := 0
		chains.Range(func(_, looks any) bool {
			windows++
			assert.Equal(t, 2, looks)
			return true
		})
		require.Positive(t, windows)
	})
}

// emptyOnce answers the first query for a range that the test is after with no records. It tells how often it did.
func (w *world) emptyOnce(fault func(*http.Request) (*http.Response, error), wanted func(from, to time.Time) bool) *atomic.Int64 {
	var faults atomic.Int64
	w.alterPages(func(req *http.Request, _ *http.Response, _, _ int) *http.Response {
		from, err1 := time.Parse("2006-01-02T15:04:05", req.URL.Query().Get("time_from"))
		to, err2 := time.Parse("2006-01-02T15:04:05", req.URL.Query().Get("time_to"))
		if err1 != nil || err2 != nil || !wanted(from, to) || !faults.CompareAndSwap(0, 1) {
			return nil
		}
		other, _ := fault(req)
		return other
	})
	return &faults
}

// A window of which only a part is read for the last time is none that will be read again.
func TestAnEmptyAnswerIsNotBelievedWhereNobodyReadsAgain(t *testing.T) {
	across := func(moment time.Time) func(from, to time.Time) bool {
		return func(from, to time.Time) bool {
			return from.Before(moment.Add(-30*time.Minute)) && to.After(moment.Add(10*time.Minute))
		}
	}
	for name, tc := range map[string]struct {
		lookback time.Duration
		// prepare makes the events, lives through what comes before, and gives the ranges whose first answer is spoiled.
		prepare func(w *world) func(from, to time.Time) bool
		after   time.Duration
		sweeps  []time.Duration
	}{
		"across the last sweep's edge at the first start": {lookback: day, after: 48 * time.Hour, prepare: func(w *world) func(from, to time.Time) bool {
			now := time.Now()
			w.sim.Generate(w.sub.Tenant, 200, now.Add(-20*time.Hour), now.Add(-7*time.Hour))
			return across(now.Add(-6 * time.Hour))
		}},
		"across the last sweep's edge after an outage": {after: 60 * time.Hour, prepare: func(w *world) func(from, to time.Time) bool {
			now := time.Now()
			w.sim.Generate(w.sub.Tenant, 800, now.Add(time.Minute), now.Add(80*time.Hour))
			w.runFor(20 * time.Hour)
			time.Sleep(30 * time.Hour)
			return across(time.Now().Add(-6 * time.Hour))
		}},
		"what SAP deletes within a day": {lookback: 90 * day, after: 12 * time.Hour, prepare: func(w *world) func(from, to time.Time) bool {
			now := time.Now()
			w.sim.Generate(w.sub.Tenant, 400, now.Add(-89*day-16*time.Hour), now.Add(-89*day-6*time.Hour))
			return across(now.Add(-89*day - 10*time.Hour))
		}},
		"the last sweep of what no other has seen": {after: 12 * time.Hour, prepare: func(w *world) func(from, to time.Time) bool {
			at := time.Now().Add(30 * time.Minute)
			for i := range 20 {
				event := at.Add(time.Duration(i) * time.Minute)
				w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: event, VisibleAt: event.Add(5 * time.Hour)})
			}
			return func(from, to time.Time) bool {
				return from.Before(at) && to.After(at) && time.Since(from) > 6*time.Hour
			}
		}},
		"the only sweep": {after: 12 * time.Hour, sweeps: []time.Duration{0}, prepare: func(w *world) func(from, to time.Time) bool {
			at := time.Now().Add(time.Hour)
			w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: at})
			return func(_, to time.Time) bool { return to.After(at.Add(5 * time.Second)) }
		}},
	} {
		for form, fault := range map[string]func(*http.Request) (*http.Response, error){
			"204": answer(http.StatusNoContent, ""), "an empty array": answer(http.StatusOK, "[]"),
		} {
			t.Run(name+", "+form, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, sapbtp.Options{Seed: 171}, func(c *Config) {
						c.InitialLookback = tc.lookback
						if tc.sweeps != nil {
							c.Sweeps = tc.sweeps
						}
					})
					faults := w.emptyOnce(fault, tc.prepare(w))
					w.runFor(tc.after)
					require.EqualValues(t, 1, faults.Load())
					w.requireExactlyOnce()
					require.Zero(t, w.sink.count("sap.btp.audit.gap"))
				})
			})
		}
	}
}

// SAP deletes the oldest day while it is looked at; the second look at it does not wait for a poll.
func TestWhatSAPDeletesNextIsLookedAtAgainAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 191}, func(c *Config) {
			c.InitialLookback, c.PollInterval = retention, time.Hour
		})
		began := time.Now()
		oldest := began.Add(-retention + 10*time.Minute)
		w.sim.Generate(w.sub.Tenant, 400, oldest, oldest.Add(10*time.Hour))
		faults := w.emptyOnce(answer(http.StatusNoContent, ""), func(from, to time.Time) bool { return from.Before(oldest) && to.After(oldest) })
		w.runFor(5 * time.Minute)
		require.EqualValues(t, 1, faults.Load())
		w.requireExactlyOnce()
	})
}

// The looks that a doubt costs are few, however the sweeps are set.
func TestEmptyTimeIsCheap(t *testing.T) {
	for name, tc := range map[string]struct {
		sweeps   []time.Duration
		lookback time.Duration
		more     int // requests beside one a poll
	}{
		"default sweeps":                 {nil, 0, 20},
		"one sweep":                      {[]time.Duration{0}, 0, 2},
		"a short last sweep":             {[]time.Duration{0, 2 * time.Minute}, 0, 12},
		"default sweeps after 90 days":   {nil, retention, 320},
		"one sweep that begins far back": {[]time.Duration{0}, retention, 320},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 4}, func(c *Config) {
					c.InitialLookback = tc.lookback
					if tc.sweeps != nil {
						c.Sweeps = tc.sweeps
					}
				})
				w.runFor(8*time.Hour + 30*time.Second)
				polls := int(8 * time.Hour / pollEvery(w.config()))
				requests := w.sim.Ledger().Total(sapbtp.KindRecords)
				require.InDelta(t, polls+tc.more/2, requests, float64(tc.more/2+1))
				require.Zero(t, w.sink.count("sap.btp.audit.gap"))
			})
		})
	}
}
