// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// tripper is a network of one function.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestRequestsUnderWayAreBoundedHoweverManySubaccountsDoNotAnswer(t *testing.T) {
	for name, kind := range map[string]sapbtp.Kind{"for tokens": sapbtp.KindToken, "for pages": sapbtp.KindRecords} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			virtually(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 92, Subaccounts: maxRequests + 50}, func(c *Config) {
					c.ClientConfig.Endpoint, c.TokenURL, c.ClientID, c.ClientSecret = "", "", "", ""
				})
				configure := w.configure
				w.configure = func(c *Config) { configure(c); c.ServiceKey = w.bindings() }
				require.NoError(t, w.sim.Script(sapbtp.Rule{
					Match: sapbtp.Match{Kind: kind}, Fault: sapbtp.Fault{Kind: sapbtp.FaultSlow, Delay: sapbtp.Duration(100 * time.Second)},
				}))
				var now, most atomic.Int64
				network := w.transport
				w.transport = tripper(func(req *http.Request) (*http.Response, error) {
					most.Store(max(now.Add(1), most.Load()))
					defer now.Add(-1)
					return network.RoundTrip(req)
				})
				w.runFor(5 * time.Minute)
				require.EqualValues(t, maxRequests, most.Load())
			})
		})
	}
}

func TestARequestCountsUntilItsBodyIsClosed(t *testing.T) {
	t.Parallel()
	virtualtime.Test(t, func(t *testing.T) {
		var failure error
		sending := newGate(1)
		client := bounded{tripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("x"))}, failure
		}), sending}
		send := func(ctx context.Context) (*http.Response, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://example.com", http.NoBody)
			require.NoError(t, err)
			return client.RoundTrip(req)
		}
		resp, err := send(t.Context())
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = send(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, resp.Body.Close(), "again")
		require.Empty(t, sending)

		failure = errors.New("no route")
		_, err = send(t.Context())
		require.ErrorIs(t, err, failure)
		require.Empty(t, sending)
	})
}
