// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

func TestReadersFollowTheReplies(t *testing.T) {
	p := newPace(10)
	at := time.Now()
	// observe shows replies that take so long; the more readers, the more of them.
	observe := func(times, events int, took time.Duration) (caughtUp bool) {
		for range times {
			at = at.Add(took / time.Duration(p.readers))
			caughtUp = p.observe(&reply{path: pathBulk, worth: events > 0, events: events, at: at})
		}
		return caughtUp
	}
	require.False(t, observe(30, 100, time.Second))
	require.Equal(t, 10, p.readers)
	require.False(t, observe(1, 99, time.Second), "more may be waiting")
	require.Equal(t, 10, p.readers)
	require.True(t, observe(1, 0, time.Second))
	require.Equal(t, 1, p.readers)
	for _, readers := range []int{2, 4, 8, 10, 10} {
		require.False(t, observe(steady, 50, 2*time.Second))
		require.False(t, observe(1, 50, 2*time.Second), "each brings as much as one alone")
		require.Equal(t, readers, p.readers)
	}
	require.False(t, observe(steady+1, 10, 2*time.Second), "less than before, but than when?")
	require.Equal(t, 1, p.readers)
	require.False(t, observe(steady+1, 50, 2*time.Second))
	require.Equal(t, 2, p.readers)
	observe(steady, 50, 2*time.Second)
	at = at.Add(5 * time.Minute)
	p.stalled()
	require.False(t, observe(2, 50, 2*time.Second), "while nothing could be read nothing was shared")
	require.Equal(t, 4, p.readers)
	p.failed(0)
	require.Equal(t, 1, p.readers)
	observe(steady+1, 50, 2*time.Second)
	require.Equal(t, 2, p.readers)
	require.False(t, observe(steady/2+1, 50, 4*time.Second))
	p.failed(0)
	at = at.Add(5 * time.Minute)
	require.False(t, observe(steady/2, 50, 4*time.Second))
	require.True(t, observe(1, 50, 4*time.Second), "two share what comes in, also with a failure in between")
	require.Equal(t, 1, p.readers)

	p = newPace(1)
	require.True(t, p.observe(&reply{path: pathBulk, events: 99}), "a lone reader has nothing to compare with")
	require.False(t, p.observe(&reply{path: pathSingle, events: 1}), "nothing is said by one event where there is never more")
}

// A server that never gives all that it could.
func TestShortRepliesHideNoBacklog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 5 * time.Second, ShortReplies: 1})
		l := w.mustStart()
		for range 90 {
			w.sim.Enqueue(1500) // 25 a second, of which one reader takes 10
			time.Sleep(time.Minute)
		}
		require.Zero(t, w.sim.Ledger().Expired)
		require.Less(t, w.sim.Ledger().Queued, 15_000)
		require.Zero(t, w.metric("saas_security_gap"))
		l.stop(t)
	})
}

func TestBacklogBehindShortRepliesIsReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 5 * time.Second, ShortReplies: 1}, func(cfg *Config) { cfg.MaxReaders = 4 })
		l := w.mustStart()
		for minute := range 75 {
			w.sim.Enqueue(4000) // 67 a second, of which four readers take 40
			time.Sleep(time.Minute)
			if minute == 25 {
				require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
			}
		}
		require.Greater(t, w.sim.Ledger().Queued, 50_000)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than an hour")
		require.NotZero(t, w.metric("saas_security_gap"))
		l.stop(t)
	})
}

// requireNoBacklog makes steady traffic for a time, which must not look as if events were waiting.
func (w *world) requireNoBacklog(d time.Duration) {
	w.t.Helper()
	highest := 0
	for second := range int(d / time.Second) {
		w.sim.Enqueue(4)
		time.Sleep(time.Second)
		if second%60 == 0 {
			highest = max(highest, w.metric("saas_security_expiry_risk"))
		}
	}
	require.Less(w.t, highest, 10*60)
	require.Zero(w.t, w.metric("saas_security_gap"))
	require.LessOrEqual(w.t, mostOpen(w.sim.Ledger()), 2)
}

// Traffic without a pause brings a short reply each time and never an empty one, but nothing is waiting.
func TestTrafficWithoutAPauseIsNoBacklog(t *testing.T) {
	for name, options := range map[string]saassecurity.Options{
		"reads that take their time": {Latency: 3 * time.Second},
		"reads that wait for events": {LongPoll: 20 * time.Second, Latency: 50 * time.Millisecond},
		"reads of one event":         {LongPoll: 20 * time.Second, Latency: 150 * time.Millisecond, Rules: withoutBulk},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, options)
				l := w.mustStart()
				w.requireNoBacklog(40 * time.Minute)
				require.Empty(t, l.host.troubles())
				l.stop(t)
			})
		})
	}
}

// withoutBulk is an API that knows the documented path only, on which each read brings one event.
var withoutBulk = []saassecurity.Rule{{On: saassecurity.Bulk, Fault: saassecurity.Fault{Status: http.StatusNotFound}}}

func TestBacklogOfSingleEventsIsReadInParallel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 100 * time.Millisecond, Rules: withoutBulk})
		w.sim.Enqueue(6000)
		l := w.mustStart()
		time.Sleep(2 * time.Minute) // ten readers need one
		require.Zero(t, w.sim.Ledger().Queued)
		require.Equal(t, 10, mostOpen(w.sim.Ledger()))
		l.stop(t)
	})
}

// Reads that fail now and then do not keep the others from showing that nothing is waiting.
func TestFailuresNowAndThenAreNoBacklog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 3 * time.Second})
		w.network.reads = &failing{RoundTripper: w.network.reads, every: 10}
		l := w.mustStart()
		w.requireNoBacklog(90 * time.Minute)
		l.stop(t)
	})
}

// failing lets one of so many requests fail before it is sent.
type failing struct {
	http.RoundTripper
	every int64
	count atomic.Int64
}

func (f *failing) RoundTrip(req *http.Request) (*http.Response, error) {
	if f.count.Add(1)%f.every == 0 {
		return nil, errDown
	}
	return f.RoundTripper.RoundTrip(req)
}

func TestLargeRepliesAreReadByFewReaders(t *testing.T) {
	p := newPace(10)
	full := &reply{events: maxEventsPerRead, size: 15 << 20}
	for range 20 {
		p.weigh(full.size)
		p.observe(full)
		require.LessOrEqual(t, p.readers, 2, "bytes in flight are bounded")
	}
	require.Equal(t, 2, p.readers, "a second one is needed to tell a backlog")
	for range 40 {
		p.weigh(60 << 10)
		p.observe(&reply{events: maxEventsPerRead})
	}
	require.Equal(t, 10, p.readers, "it is forgotten when they are small again")
	p.weigh(full.size)
	require.Equal(t, 2, p.readers)

	alone := newPace(1)
	alone.weigh(1)
	require.Equal(t, 1, alone.most, "no more than allowed")
}

func TestLongListIsCounted(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		events int
		odd    bool
	}{
		"bare":             {"[" + zeros(100_000) + "]", 100_000, false},
		"in events":        {`{"events":[` + zeros(100_000) + `]}`, 100_000, false},
		"beside":           {`{"x":[` + zeros(100_000) + `]}`, 0, true},
		"not closed":       {"[" + zeros(100_000), 100_000, false},
		"too many members": {`{` + strings.Repeat(`"a":0,`, 100_000) + `"b":0}`, 0, true},
		"a short one":      {"[" + zeros(7) + "]", 7, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := reply{status: http.StatusOK, body: []byte(tt.body)}
			r.look()
			require.Equal(t, tt.events, r.events)
			require.Equal(t, tt.odd, r.odd)
		})
	}
}
