// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// mostOpen is the largest number of reads that the server had open at once.
func mostOpen(l saassecurity.Ledger) int {
	most := 0
	for _, a := range l.Reads {
		open := 0
		for _, b := range l.Reads {
			if !b.Start.After(a.Start) && b.End.After(a.Start) {
				open++
			}
		}
		most = max(most, open)
	}
	return most
}

func TestBacklogIsReadInParallel(t *testing.T) {
	drain := func(t *testing.T, readers, events int) (took time.Duration) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, saassecurity.Options{Latency: 100 * time.Millisecond}, func(cfg *Config) {
				cfg.MaxReaders = readers
				cfg.PollInterval = maxPollInterval
			})
			w.sim.Enqueue(events)
			l := w.mustStart()
			start := time.Now()
			for w.sim.Ledger().Queued > 0 {
				time.Sleep(50 * time.Millisecond)
			}
			took = time.Since(start)
			time.Sleep(time.Minute)
			w.requireDelivered(upTo(events))
			l.stop(t)
			require.Equal(t, readers, mostOpen(w.sim.Ledger()))
		})
		return took
	}
	one, ten := drain(t, 1, 2000), drain(t, 10, 16_000)
	require.InDelta(t, 2, one.Seconds(), 0.1)
	require.Greater(t, one, ten, "one reader takes %s for an eighth of what ten take in %s", one, ten)
}

func TestOneReaderIsEnoughForATrickle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{LongPoll: 20 * time.Second})
		l := w.mustStart()
		for range 200 {
			time.Sleep(3 * time.Second)
			w.sim.Enqueue(5)
		}
		time.Sleep(2 * time.Minute)
		w.requireDelivered(upTo(1000))
		require.LessOrEqual(t, mostOpen(w.sim.Ledger()), 2)
		l.stop(t)
	})
}

func TestFailuresSlowReadingDown(t *testing.T) {
	p := newPace(10)
	p.readers = 7
	p.jitter = func() float64 { return 0.5 }
	var waits []time.Duration
	for range 8 {
		waits = append(waits, p.failed(0))
	}
	require.Equal(t, []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}, inSeconds(waits))
	require.Equal(t, 1, p.readers)
	require.Equal(t, 2*time.Minute, p.failed(2*time.Minute), "the server's wish")
	require.Equal(t, maxServerPause, p.failed(time.Hour), "but not for as long as events live")
	p.observe(&reply{})
	require.Equal(t, time.Second, p.failed(0))
	p.jitter = func() float64 { return 0 }
	require.Equal(t, 1500*time.Millisecond, p.failed(0))
}

func inSeconds(ds []time.Duration) []time.Duration {
	out := slices.Clone(ds)
	for i := range out {
		out[i] /= time.Second
	}
	return out
}

func TestLimitOfAPollMakesNoPause(t *testing.T) {
	for limit, most := range map[int]int{100: 1, 300: 3, 0: 10} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, saassecurity.Options{Latency: 10 * time.Millisecond}, func(cfg *Config) {
				cfg.MaxEventsPerPoll = limit
				cfg.PollInterval = maxPollInterval
			})
			w.sim.Enqueue(3000)
			l := w.mustStart()
			time.Sleep(5 * time.Second)
			w.requireDelivered(upTo(3000))
			l.stop(t)
			require.Equal(t, most, mostOpen(w.sim.Ledger()))
		})
	}
}

func TestEmptyQueueIsAskedOncePerInterval(t *testing.T) {
	for _, longPoll := range []time.Duration{0, 20 * time.Second} {
		for _, empty := range []saassecurity.Empty{saassecurity.EmptyStatus, saassecurity.EmptyEvents, saassecurity.EmptyBody} {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{LongPoll: longPoll, Empty: empty})
				w.runFor(10*time.Minute - time.Second)
				require.Len(t, w.sim.Ledger().Reads, int(10*time.Minute/(30*time.Second+longPoll)))
				require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
				require.Zero(t, w.metric("saas_security_commit_duration"), "nothing came, nothing is stored")
			})
		}
	}
}

func TestRefusedTokenIsReplacedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 100 * time.Millisecond})
		w.sim.Enqueue(5000)
		l := w.mustStart()
		time.Sleep(300 * time.Millisecond)
		w.sim.RevokeTokens()
		start := time.Now()
		for w.sim.Ledger().Queued > 0 {
			time.Sleep(50 * time.Millisecond)
		}
		require.Less(t, time.Since(start), 4*time.Second)
		time.Sleep(time.Second)
		w.requireDelivered(upTo(5000))
		w.requireAccounted()
		require.Len(t, w.sim.Ledger().Tokens, 2)
		require.Zero(t, w.metric("saas_security_reads_unknown_outcome"), "a refusal takes nothing")
		require.Empty(t, w.messages(zapcore.WarnLevel))
		l.stop(t)
	})
}

func TestTokenThatIsAlwaysRefusedSlowsDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Status: 401}}}})
		w.sim.Enqueue(100)
		l := w.mustStart()
		time.Sleep(time.Hour / 2)
		require.Less(t, len(w.sim.Ledger().Reads), 60)
		require.Contains(t, l.host.troubles(), "not authenticated")
		w.sim.ClearRules()
		time.Sleep(2 * time.Minute)
		w.requireDelivered(upTo(100))
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

func TestALastingFailureIsOneLineUntilItChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		l := w.mustStart()
		for _, status := range []int{403, 500} {
			w.sim.ClearRules()
			w.sim.AddRules(saassecurity.Rule{Fault: saassecurity.Fault{Status: status}})
			time.Sleep(20 * time.Minute)
		}
		w.sim.ClearRules()
		time.Sleep(10 * time.Minute)
		failures := w.logs.FilterMessage("Reading failed and is tried again").All()
		require.Len(t, failures, 2)
		require.Contains(t, failures[0].ContextMap()["error"], "HTTP 403")
		require.Contains(t, failures[1].ContextMap()["error"], "HTTP 500")
		require.Len(t, w.logs.FilterMessage("Reading works again").All(), 1)
		l.stop(t)
	})
}

func TestRefusalsAreWaitedOutAndLoseNothing(t *testing.T) {
	for _, tt := range []struct {
		fault   saassecurity.Fault
		kind    string
		unknown int // a gateway's word is no proof
	}{
		{saassecurity.Fault{Status: 403}, "forbidden", 0},
		{saassecurity.Fault{Status: 408}, "timeout", 3},
		{saassecurity.Fault{Status: 429}, "throttled", 0},
		{saassecurity.Fault{Status: 429, RetryAfter: "20"}, "throttled", 0},
		{saassecurity.Fault{Status: 500}, "server", 3},
		{saassecurity.Fault{Status: 503, RetryAfter: "20"}, "server", 3},
		{saassecurity.Fault{Redirect: "https://elsewhere.example.com/"}, "redirect", 0},
		{saassecurity.Fault{Reset: saassecurity.ResetBefore}, "network", 3},
	} {
		t.Run(tt.fault.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{Times: 3, Fault: tt.fault}}})
				w.sim.Enqueue(250)
				l := w.mustStart()
				time.Sleep(2 * time.Minute)
				w.requireDelivered(upTo(250))
				w.requireAccounted()
				require.Equal(t, 3, w.metric("saas_security_reads", "outcome", tt.kind))
				require.Equal(t, tt.unknown, w.metric("saas_security_reads_unknown_outcome"))
				if tt.fault.RetryAfter != "" {
					reads := w.sim.Ledger().Reads
					require.GreaterOrEqual(t, reads[1].Start.Sub(reads[0].Start), 20*time.Second)
				}
				require.Empty(t, l.host.troubles())
				l.stop(t)
				require.Empty(t, w.sim.Ledger().Misplaced)
			})
		})
	}
}

func TestBulkPathThatIsMissingIsReplacedForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{On: saassecurity.Bulk, Fault: saassecurity.Fault{Status: 404}}}})
		w.sim.Enqueue(50)
		l := w.mustStart()
		time.Sleep(time.Second / 2)
		w.requireDelivered(upTo(50))
		require.Contains(t, w.messages(zapcore.WarnLevel)[0], "reading single events from /api/v1/log_events for a while")
		time.Sleep(2 * time.Hour)
		require.Empty(t, l.host.troubles(), "perhaps it never had it, and the other path is the documented one")
		require.Len(t, w.messages(zapcore.WarnLevel), 1)
		asked := 0
		for _, read := range w.sim.Ledger().Reads {
			if read.Path == pathBulk {
				asked++
			}
		}
		require.Less(t, asked, 30, "it is asked less and less often")
		w.sim.ClearRules()
		w.sim.Enqueue(50)
		time.Sleep(maxBulkRetry + time.Minute)
		w.requireDelivered(upTo(100))
		w.requireAccounted()
		reads := w.sim.Ledger().Reads
		require.Equal(t, pathBulk, reads[len(reads)-1].Path, "the better one is tried again")

		w.sim.AddRules(saassecurity.Rule{On: saassecurity.Bulk, Fault: saassecurity.Fault{Status: 404}})
		time.Sleep(time.Minute)
		require.Empty(t, l.host.troubles(), "not at once")
		time.Sleep(10 * time.Minute)
		require.Contains(t, l.host.troubles(), "path: the API does not know /api/v1/log_events_bulk any more")
		w.sim.ClearRules()
		time.Sleep(maxBulkRetry + time.Minute)
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

// Behind a gateway one answer of many can come from elsewhere, such as from a node that is being replaced.
func TestBulkPathThatIsNotFoundNowAndThenIsUsedAllTheSame(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 50 * time.Millisecond})
		l := w.mustStart()
		for n := range 12 {
			w.sim.AddRules(saassecurity.Rule{On: saassecurity.Bulk, Times: 1, Fault: saassecurity.Fault{Status: 404}})
			w.sim.Enqueue(5000)
			time.Sleep(5 * time.Minute)
			require.Equal(t, 5000*(n+1), w.sink.events(), "a lost answer costs a second, not minutes")
		}
		single := 0
		for _, read := range w.sim.Ledger().Reads {
			if read.Path == pathSingle {
				single++
			}
		}
		require.Less(t, single, 12*100)
		w.requireAccounted()
		require.Empty(t, l.host.troubles())
		require.NotContains(t, l.host.history(), errBulkMissing.Error())
		l.stop(t)
	})
}

func TestMissingAPIIsReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Status: 404}}}})
		l := w.mustStart()
		time.Sleep(10 * time.Minute)
		require.Contains(t, l.host.troubles(), "HTTP 404")
		require.Less(t, len(w.sim.Ledger().Reads), 30)
		l.stop(t)
	})
}
