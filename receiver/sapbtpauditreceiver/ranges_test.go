// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// shortRanges is a way to an API that refuses a time range which is longer than it likes.
type shortRanges struct {
	next    http.RoundTripper
	longest time.Duration
	refused *atomic.Int64
}

func (t shortRanges) RoundTrip(req *http.Request) (*http.Response, error) {
	q := req.URL.Query()
	from, err1 := time.Parse("2006-01-02T15:04:05", q.Get("time_from"))
	to, err2 := time.Parse("2006-01-02T15:04:05", q.Get("time_to"))
	if err1 == nil && err2 == nil && to.Sub(from) > t.longest {
		t.refused.Add(1)
		return answer(http.StatusBadRequest, "")(req)
	}
	return t.next.RoundTrip(req)
}

// SAP documents no longest range.
func TestAnAPIThatRefusesLongRangesIsReadInShortOnes(t *testing.T) {
	for _, longest := range []time.Duration{10 * time.Minute, 3 * time.Hour} {
		t.Run(longest.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var refused atomic.Int64
				w := newWorld(t, sapbtp.Options{Seed: 92})
				w.transport = shortRanges{w.transport, longest, &refused}
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 500, now.Add(-23*time.Hour), now.Add(time.Hour))
				w.runFor(3 * time.Hour)
				w.requireExactlyOnce()
				require.Less(t, int(refused.Load()), w.sim.Ledger().Total(sapbtp.KindRecords)/4)
			})
		})
	}
}

// In a long backfill the limit is met ever more rarely, so that status and log stay calm.
func TestALengthThatIsAlwaysRefusedIsTriedEverMoreRarely(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var refused atomic.Int64
		w := newWorld(t, sapbtp.Options{Seed: 94}, func(c *Config) { c.InitialLookback = 60 * 24 * time.Hour })
		w.transport = shortRanges{w.transport, 61 * time.Minute, &refused}
		w.runFor(3 * time.Hour)
		require.Greater(t, w.sim.Ledger().Total(sapbtp.KindRecords), 60*24)
		require.Less(t, refused.Load(), int64(40))
		require.Less(t, w.logs.FilterMessageSnippet("Reading the audit log failed").Len(), 8)
	})
}

// One second that is refused for a reason of its own says nothing about how long ranges may be.
func TestARefusedSecondDoesNotShortenTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 95})
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 500, now.Add(-23*time.Hour), now.Add(time.Hour))
		w.transport = &badSecond{next: w.transport, second: now.Add(-10 * time.Hour), fail: answer(http.StatusBadRequest, "")}
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(6 * time.Hour)
		before := w.sim.Ledger().Total(sapbtp.KindRecords)
		time.Sleep(24 * time.Hour)
		// 1600 are for what is new, and a few hundred for the second.
		require.Less(t, w.sim.Ledger().Total(sapbtp.KindRecords)-before, 2400)
		require.NoError(t, r.Shutdown(t.Context()))
	})
}
