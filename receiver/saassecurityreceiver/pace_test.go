// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
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
	at = at.Add(time.Hour)
	p.stalled()
	require.False(t, observe(steady, 50, 2*time.Second), "while nothing could be read nothing was shared")
	require.Equal(t, 2, p.readers)
	p.stalled()
	require.True(t, observe(steady+1, 50, 4*time.Second), "two share what comes in")
	require.Equal(t, 1, p.readers)
	require.False(t, p.observe(&singleEvent))
	require.Equal(t, 2, p.readers, "a reply with one event is full where there can be no more")
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

// Traffic without a pause brings a short reply each time and never an empty one, but nothing is waiting.
func TestTrafficWithoutAPauseIsNoBacklog(t *testing.T) {
	for name, options := range map[string]saassecurity.Options{
		"reads that take their time": {Latency: 3 * time.Second},
		"reads that wait for events": {LongPoll: 20 * time.Second, Latency: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, options)
				l := w.mustStart()
				highest := 0
				for i := range 40 * 60 {
					w.sim.Enqueue(4)
					time.Sleep(time.Second)
					if i%300 == 0 {
						highest = max(highest, w.metric("saas_security_expiry_risk"))
					}
				}
				require.Less(t, highest, 10*60)
				require.Empty(t, l.host.troubles())
				require.Zero(t, w.metric("saas_security_gap"))
				require.LessOrEqual(t, mostOpen(w.sim.Ledger()), 2)
				l.stop(t)
			})
		})
	}
}

var singleEvent = reply{path: pathSingle, worth: true, events: 1}
