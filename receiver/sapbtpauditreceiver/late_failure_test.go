// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// after answers when a time has passed, which may be longer than a poll's turn.
func after(d time.Duration, then func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return then(req)
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A turn does not wait for slow answers, but that they are failures must show all the same.
func TestAnOutageShowsHoweverSlowlyItFails(t *testing.T) {
	for name, tc := range map[string]struct {
		fail func(*http.Request) (*http.Response, error)
		says string
	}{
		"429 without end": {answer(http.StatusTooManyRequests, ""), "too many requests"},
		"no answer":       {after(time.Hour, answer(http.StatusOK, "[]")), "timed out"},
		"403 after 40 s":  {after(40*time.Second, answer(http.StatusForbidden, "")), "HTTP 403"},
		"500 after 50 s":  {after(50*time.Second, answer(http.StatusInternalServerError, "")), "HTTP 500"},
		"reset after 30 s": {after(30*time.Second, func(*http.Request) (*http.Response, error) {
			return nil, errors.New("connection reset by peer")
		}), "the request failed"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := traffic(t)
				next, down := w.transport, atomic.Bool{}
				w.transport = roundTripper(func(req *http.Request) (*http.Response, error) {
					if down.Load() && req.Method == http.MethodGet {
						return tc.fail(req)
					}
					return next.RoundTrip(req)
				})
				host := newStatusHost(w)
				r, err := w.startOn(host)
				require.NoError(t, err)
				time.Sleep(30 * time.Minute)
				host.take()
				down.Store(true)
				time.Sleep(30 * time.Minute)
				require.Contains(t, strings.Join(host.take(), "; "), "reading "+r.list()[0].id)
				lines := w.logs.FilterMessage("Reading the audit log failed; trying again, nothing is skipped").All()
				require.NotEmpty(t, lines)
				require.Contains(t, lines[0].ContextMap()["error"], tc.says)
				time.Sleep(3 * time.Hour)
				require.Less(t, w.logs.Len(), 150)
				down.Store(false)
				time.Sleep(30 * time.Minute)
				last := host.take()
				require.Equal(t, statusOK, last[len(last)-1])
				require.NotEmpty(t, w.logs.FilterMessage("Reading the audit log works again").All())
				require.NoError(t, r.Shutdown(t.Context()))
			})
		})
	}
}
