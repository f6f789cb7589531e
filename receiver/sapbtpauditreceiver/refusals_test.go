// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// refusingServer answers requests of one kind with a status, while it is on.
type refusingServer struct {
	next   http.RoundTripper
	method string
	follow bool // only what goes on with a handle
	answer func(*http.Request) (*http.Response, error)
	on     atomic.Bool
	asked  atomic.Int64
}

func (f *refusingServer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != f.method || !f.on.Load() || f.follow && req.URL.Query().Get("handle") == "" {
		return f.next.RoundTrip(req)
	}
	f.asked.Add(1)
	return f.answer(req)
}

// Whatever an API answers for ever, it is asked ever more rarely, and that does not look like health.
func TestAServerThatRefusesForEverIsAskedRarelyAndSaidToBeSick(t *testing.T) {
	const unsupported = `{"error":{"code":"filter_category_not_supported"}}`
	for _, tc := range []struct {
		status     int
		body       string
		categories bool
	}{
		{501, "", false},
		{501, unsupported, false},
		{501, "", true},
		{501, unsupported, true},
		{400, unsupported, true},
		{205, "", false},
		{206, "[]", false},
		{302, "", false},
		{400, "", false},
		{404, "", false},
		{405, "", false},
		{408, "", false},
		{410, "", false},
		{413, "", false},
		{422, "", false},
		{429, "", false},
		{500, "", false},
		{505, "", false},
	} {
		for method, what := range map[string]string{http.MethodGet: "page", http.MethodPost: "token"} {
			t.Run(fmt.Sprintf("%s %d %.20s %t", what, tc.status, tc.body, tc.categories), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, sapbtp.Options{Seed: 175}, func(c *Config) {
						if tc.categories {
							c.Categories = []string{sapbtp.CategorySecurity}
						}
					})
					now := time.Now()
					w.sim.Generate(w.sub.Tenant, 500, now.Add(-20*time.Hour), now.Add(30*time.Minute))
					server := &refusingServer{next: w.transport, method: method, answer: answer(tc.status, tc.body)}
					w.transport = server
					server.on.Store(true)
					host := newStatusHost(w)
					r, err := w.startOn(host)
					require.NoError(t, err)
					time.Sleep(10 * time.Minute)
					events := host.take()
					require.Len(t, events, 1, "once, for as long as nothing changes")
					require.Contains(t, events[0], statusRecoverable)
					first := server.asked.Load()
					require.Positive(t, first)
					require.Less(t, first, int64(400), "four windows in parallel, five tries each, every poll")
					time.Sleep(50 * time.Minute)
					require.Less(t, server.asked.Load()-first, int64(5*400))
					for _, event := range host.take() {
						require.Contains(t, event, statusRecoverable)
					}

					server.on.Store(false)
					time.Sleep(30 * time.Minute)
					require.NoError(t, r.Shutdown(t.Context()))
					events = host.take()
					require.NotEmpty(t, events)
					require.Equal(t, statusOK, events[len(events)-1])
					filters := []sapbtp.Filter{sapbtp.VisibleBy(time.Now().Add(-2 * time.Minute))}
					if tc.categories {
						filters = append(filters, sapbtp.InCategory(sapbtp.CategorySecurity))
					}
					w.requireExactlyOnce(filters...)
				})
			})
		}
	}
}

// The same of further pages only, which say that they cannot be filtered although they are not asked to be.
func TestFollowUpPagesThatAreNotImplementedAreAskedForRarely(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 176}, func(c *Config) { c.Categories = []string{sapbtp.CategorySecurity} })
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 5000, now.Add(-2*time.Hour), now)
		server := &refusingServer{
			next: w.transport, method: http.MethodGet, follow: true,
			answer: answer(http.StatusNotImplemented, `{"error":{"code":"filter_category_not_supported"}}`),
		}
		w.transport = server
		server.on.Store(true)
		host := newStatusHost(w)
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		events := host.take()
		require.NotEmpty(t, events)
		require.Contains(t, events[len(events)-1], statusRecoverable)
		require.Less(t, server.asked.Load(), int64(200))
		server.on.Store(false)
		time.Sleep(30 * time.Minute)
		require.NoError(t, r.Shutdown(t.Context()))
		w.requireExactlyOnce(sapbtp.InCategory(sapbtp.CategorySecurity))
	})
}
