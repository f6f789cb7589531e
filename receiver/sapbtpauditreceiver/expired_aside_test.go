// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// A second that the API never gave away is a hole once SAP keeps it no longer, whatever is answered for it then: no records,
// as for all that is deleted, or the same error as before.
func TestWhatStayedUnreadableUntilItExpiredIsAnnouncedAsAGap(t *testing.T) {
	for name, mends := range map[string]bool{"no records at the end": true, "unreadable to the end": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 91}, func(c *Config) {
					c.InitialLookback, c.PollInterval = retention, 10*time.Minute
				})
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 1000, now.Add(-retention), now.Add(48*time.Hour))
				bad := &badSecond{next: w.transport, second: now.Add(-retention + 24*time.Hour)}
				bad.fail = func(req *http.Request) (*http.Response, error) {
					if mends && time.Since(bad.second) > retention {
						return bad.next.RoundTrip(req)
					}
					return answer(http.StatusInternalServerError, "")(req)
				}
				w.transport = bad
				r, _, err := w.start()
				require.NoError(t, err)
				time.Sleep(23 * time.Hour)
				require.Zero(t, w.sink.count("sap.btp.audit.gap"), "it may still become readable")
				time.Sleep(25 * time.Hour)
				require.Positive(t, w.sink.count("sap.btp.audit.gap"))
				require.GreaterOrEqual(t, r.list()[0].progress.Oldest(), bad.second.Unix())
				require.NoError(t, r.list()[0].stuck())
				asked := bad.failed.Load()
				time.Sleep(time.Hour)
				require.Equal(t, asked, bad.failed.Load(), "what is gone is not asked for")
				require.NoError(t, r.Shutdown(t.Context()))
			})
		})
	}
}

// What expires between the start and the first answer was never promised.
func TestAFirstStartWithAllThatSAPHasAnnouncesNoGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 94}, func(c *Config) { c.InitialLookback = retention })
		w.sink.keep = true
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 500, now.Add(-retention+firstRead), now)
		require.NoError(t, w.sim.Script(sapbtp.Rule{
			Match: sapbtp.Match{Kind: sapbtp.KindToken, Before: sapbtp.Duration(time.Minute)},
			Fault: sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 503},
		}))
		w.runFor(time.Hour)
		w.requireExactlyOnce()
		require.Empty(t, w.sink.gaps())
	})
}

func TestOfWhatWasSetAsideOnlyTheExpiredPartIsGivenUp(t *testing.T) {
	s := &subaccount{}
	s.putAside(aside{tries: 2}, sweep.Span{From: 90, To: 100}, sweep.Span{From: 90, To: 110}, sweep.Span{From: 100, To: 110}, sweep.Span{From: 120, To: 130})
	s.giveUpAsides(100)
	require.Equal(t, sweep.Set{{From: 100, To: 110}, {From: 120, To: 130}}, s.reserved())
	require.Len(t, s.asides, 3)
	require.Equal(t, 2, s.asides[0].tries)
}
