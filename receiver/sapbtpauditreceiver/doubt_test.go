// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// paging is a way to the simulator that counts the pages of each chain and the chains of each window.
type paging struct {
	next http.RoundTripper
	// alter may replace the answer for a page of a window, both counted from 1: nil leaves it as it is.
	alter func(req *http.Request, resp *http.Response, look, page int) *http.Response

	mu    sync.Mutex
	looks map[string]int // chains by their window
	pages map[string]int // of the chain under way
}

func (p *paging) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := p.next.RoundTrip(req)
	q := req.URL.Query()
	window := q.Get("time_from") + q.Get("time_to")
	if err != nil || window == "" {
		return resp, err
	}
	p.mu.Lock()
	if q.Get("handle") == "" {
		p.looks[window]++
		p.pages[window] = 0
	}
	p.pages[window]++
	look, page := p.looks[window], p.pages[window]
	p.mu.Unlock()
	if other := p.alter(req, resp, look, page); other != nil {
		_ = resp.Body.Close()
		return other, nil
	}
	return resp, nil
}

func (w *world) alterPages(alter func(req *http.Request, resp *http.Response, look, page int) *http.Response) {
	w.transport = &paging{next: w.transport, alter: alter, looks: map[string]int{}, pages: map[string]int{}}
}

// Each of these faults alone shows by a second look; the one must not use up the look that the other needs.
func TestAWindowWithTwoFaultsLosesNothing(t *testing.T) {
	for name, tc := range map[string]struct{ empty, handle int }{
		"no records at first":                       {empty: 1},
		"no handle at first":                        {handle: 1},
		"no records, then no handle":                {empty: 1, handle: 2},
		"no records twice, then no handle":          {empty: 2, handle: 3},
		"no handle, then no records from its parts": {handle: 1, empty: 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 71}, func(c *Config) { c.InitialLookback = 10 * 24 * time.Hour })
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 6000, now.Add(-9*24*time.Hour), now.Add(-8*24*time.Hour))
				w.alterPages(func(req *http.Request, resp *http.Response, look, page int) *http.Response {
					if page == 1 && look <= tc.empty && (tc.handle != 1 || tc.empty == 0 || look > 1) {
						other, _ := answer(http.StatusNoContent, "")(req)
						return other
					}
					if page == 1 && look == tc.handle {
						resp.Header.Del("Paging")
					}
					return nil
				})
				w.runFor(12 * time.Hour)
				w.requireExactlyOnce()
			})
		})
	}
}

// A second cannot be cut, so only looks that agree show that its paging came to the end.
func TestASecondIsReadUntilTwoLooksAgree(t *testing.T) {
	for name, lost := range map[string]map[int]int{ // the page after which the handle is lost, by look
		"early, then late": {1: 3, 2: 8},
		"late, then early": {1: 8, 2: 3, 3: 3},
		"five times":       {1: 2, 2: 3, 3: 4, 4: 5, 5: 6},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, second := denseSecond(t)
				w.alterPages(func(req *http.Request, resp *http.Response, look, page int) *http.Response {
					if covers(req, second) && lost[look] == page {
						resp.Header.Del("Paging")
					}
					return nil
				})
				w.runFor(6 * time.Hour)
				w.requireExactlyOnce()
			})
		})
	}
}

// What is always cut off at the same place cannot be told from the end, but it is said.
func TestASecondThatAlwaysEndsOnAFullPageIsWarnedOf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, second := denseSecond(t)
		w.alterPages(func(req *http.Request, resp *http.Response, _, page int) *http.Response {
			if covers(req, second) && page == 3 {
				resp.Header.Del("Paging")
			}
			return nil
		})
		w.runFor(6 * time.Hour)
		require.NotEmpty(t, w.logs.FilterMessageSnippet("The last page of a second is full").All())
		w.requireNoDuplicates(0)
	})
}

// denseSecond is a world with ten full pages within one second.
func denseSecond(t *testing.T) (*world, time.Time) {
	t.Helper()
	w := newWorld(t, sapbtp.Options{Seed: 74}, func(c *Config) { c.InitialLookback = 10 * 24 * time.Hour })
	second := time.Now().Add(-5 * 24 * time.Hour).Truncate(time.Second)
	w.sim.Generate(w.sub.Tenant, 5000, second, second.Add(time.Second))
	return w, second
}

// covers tells whether a request is for a window with that second.
func covers(req *http.Request, second time.Time) bool {
	from, err1 := time.Parse("2006-01-02T15:04:05", req.URL.Query().Get("time_from"))
	to, err2 := time.Parse("2006-01-02T15:04:05", req.URL.Query().Get("time_to"))
	return err1 == nil && err2 == nil && !from.After(second) && to.After(second)
}
