// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// unparsed are the records of what was no event.
func (s *sink) unparsed() []plog.LogRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []plog.LogRecord
	for _, logs := range s.logs {
		for _, lr := range observed.Records(logs) {
			if lr.EventName() == eventUnparsed {
				out = append(out, lr)
			}
		}
	}
	return out
}

func (s *sink) byName() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.names)
}

func TestBrokenReplyKeepsWhatCame(t *testing.T) {
	for _, tt := range []struct {
		fault saassecurity.Fault
		least int // events that were complete
		raw   int // records of the rest
	}{
		{saassecurity.Fault{Reset: saassecurity.ResetAfter}, 0, 0},
		{saassecurity.Fault{Truncate: saassecurity.HeadersOnly}, 0, 0},
		{saassecurity.Fault{Truncate: 5}, 0, 1},
		{saassecurity.Fault{Truncate: 20_000}, 20, 1},
		{saassecurity.Fault{Truncate: 20_000, Chunked: true}, 20, 1},
		{saassecurity.Fault{Truncate: 20_000, Stall: 5 * time.Second}, 20, 1},
		{saassecurity.Fault{Delay: 2 * time.Minute}, 0, 0}, // longer than the timeout
		{saassecurity.Fault{Stall: 2 * time.Minute}, 20, 1},
	} {
		t.Run(tt.fault.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{Times: 1, Fault: tt.fault}}})
				w.sim.Enqueue(100)
				l := w.mustStart()
				time.Sleep(5 * time.Minute)
				w.sim.Enqueue(100)
				time.Sleep(time.Minute)
				w.requireAccounted()
				got := w.sink.events() - 100
				require.GreaterOrEqual(t, got, tt.least, "of the broken reply")
				require.Less(t, got, 100)
				require.Len(t, w.sink.unparsed(), tt.raw)
				require.Equal(t, 1, w.metric("saas_security_reads_unknown_outcome"))
				require.Equal(t, tt.raw, w.metric("saas_security_replies_undecoded", "reason", "truncated"))
				for _, lr := range w.sink.unparsed() {
					truncated, _ := lr.Attributes().Get(attrIncomplete)
					require.True(t, truncated.Bool())
				}
				l.stop(t)
			})
		})
	}
}

// If the server gives what it could not send again, nothing is lost. What had come of it comes twice: the events have no
// identity of their own by which that could be seen.
func TestServerThatGivesABrokenReplyAgainLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{
			Requeue: true, Rules: []saassecurity.Rule{{Skip: 1, Times: 3, Fault: saassecurity.Fault{Truncate: 20_000}}},
		})
		w.sim.Enqueue(300)
		w.runFor(10 * time.Minute)
		require.Len(t, w.sink.found, 300)
		require.Equal(t, 3, w.metric("saas_security_reads_unknown_outcome"))
		require.Zero(t, w.sim.Ledger().Unsent)
	})
}

func TestWhatIsNoEventIsKeptRaw(t *testing.T) {
	half := `{"events":[{"log_type":"incident","item_name":"evt-00000001 x"},{"log_type":"incident","it`
	for name, tt := range map[string]struct {
		rules []saassecurity.Rule
		raw   []string // served as they are
		names map[string]int
		body  string // of the first unparsed record
	}{
		"half a document": {
			rules: []saassecurity.Rule{{Times: 1, Fault: saassecurity.Fault{Document: saassecurity.Half}}},
			names: map[string]int{eventUnparsed: 1},
		},
		"garbage": {
			rules: []saassecurity.Rule{{Times: 1, Fault: saassecurity.Fault{Document: saassecurity.Garbage}}},
			names: map[string]int{eventUnparsed: 1},
		},
		"page of a proxy": {
			rules: []saassecurity.Rule{{Times: 1, Fault: saassecurity.Fault{Document: saassecurity.HTML}}},
			names: map[string]int{eventUnparsed: 1, "saas_security.incident": 1},
		},
		"unknown type and fields": {
			raw:   []string{`{"log_type":"quantum_audit","serial":"s","timestamp":"2026-01-02T03:04:05Z","new":{"deep":[1,2.50]},"item_name":"evt-00000001"}`},
			names: map[string]int{"saas_security.quantum_audit": 1},
		},
		"invalid UTF-8 and a stray bracket": {
			raw:   []string{`{"log_type":"incident","item_name":"evt-00000001 ` + "\xff" + `"}`, `{"log_type":"incident"}}`},
			names: map[string]int{"saas_security.incident": 2, eventUnparsed: 1},
			body:  "}]}",
		},
		"cut in the middle": {
			raw:   []string{strings.TrimPrefix(half, `{"events":[`)},
			names: map[string]int{"saas_security.incident": 1, eventUnparsed: 1},
			body:  `,{"log_type":"incident","it]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{Rules: tt.rules})
				if tt.raw == nil {
					tt.raw = []string{`{"log_type":"incident","item_name":"evt-00000001"}`}
				}
				w.sim.EnqueueRaw(tt.raw...)
				l := w.mustStart()
				time.Sleep(2 * time.Minute)
				require.Equal(t, tt.names, w.sink.byName())
				if tt.body != "" {
					require.Equal(t, tt.body, w.sink.unparsed()[0].Body().AsString())
				}
				require.Equal(t, w.sink.byName()[eventUnparsed], w.metric("saas_security_replies_undecoded"))
				require.Zero(t, w.metric("saas_security_reads_unknown_outcome"), "everything that was sent has arrived")
				if tt.rules == nil && tt.body == "" {
					require.Equal(t, 1, w.metric("saas_security_events_odd", "reason", "unknown_type"))
					require.Equal(t, 1, w.metric("saas_security_events_odd", "reason", "unknown_fields"))
				}
				l.stop(t)
				require.Empty(t, w.messages(zapcore.ErrorLevel))
			})
		})
	}
}

// The events are off the queue long before the first byte of the reply, and nothing but that read can bring them.
func TestSlowReplyIsWaitedFor(t *testing.T) {
	for name, fault := range map[string]saassecurity.Fault{
		"before the first byte": {Delay: 25 * time.Second},
		"in the middle":         {Stall: 25 * time.Second},
		"both":                  {Delay: 25 * time.Second, Stall: 25 * time.Second, Chunked: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{Fault: fault}}})
				w.sim.Enqueue(1000)
				l := w.mustStart()
				time.Sleep(10 * time.Second)
				require.Equal(t, 900, w.sim.Ledger().Queued, "taken")
				require.Zero(t, w.sink.events(), "and not here yet")
				l.stop(t) // waits as well
				require.Len(t, w.sim.Ledger().Reads, 1)
				l = w.mustStart()
				time.Sleep(10 * time.Minute)
				w.requireDelivered(upTo(1000))
				w.requireAccounted()
				require.Equal(t, map[saassecurity.Outcome]int{
					saassecurity.OutcomeServed: 10, saassecurity.OutcomeEmpty: len(w.sim.Ledger().Reads) - 10,
				}, w.sim.Ledger().Outcomes(), "each was read once and to its end")
				require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
				require.Empty(t, l.host.troubles())
				l.stop(t)
			})
		})
	}
}

func TestReplyBeyondTheLimitIsKeptUpToIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{
			Rules: []saassecurity.Rule{{Times: 1, Fault: saassecurity.Fault{Oversize: 6 << 20, Gzip: true}}},
		}, func(cfg *Config) { cfg.Spool.MaxSizeMiB = minSpoolMiB })
		w.sim.Enqueue(50)
		l := w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 50, w.sink.events(), "the rest was blanks")
		require.Equal(t, 1, w.metric("saas_security_reads_unknown_outcome", "reason", "incomplete_reply"))
		require.Equal(t, 1, w.metric("saas_security_reads", "outcome", "too_large"))
		l.stop(t)
	})
}

// Everything at once, in an order that the seed decides.
func TestFaultsOfAllKindsLoseNothingUncounted(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{
					Seed: seed, Rules: saassecurity.Mix(0.01), Latency: 20 * time.Millisecond, LongPoll: 5 * time.Second, Deaf: seed%2 == 1,
					Shape: saassecurity.ShapeMixed, Empty: saassecurity.EmptyMixed, ShortReplies: 0.3, TokenLifetime: 20 * time.Minute,
				})
				l := w.mustStart()
				for range 12 {
					w.sim.Enqueue(300)
					time.Sleep(5 * time.Minute)
				}
				w.sim.ClearRules()
				time.Sleep(5 * time.Minute)
				require.Zero(t, w.sim.Ledger().Queued, "reading recovers by itself")
				require.Zero(t, w.sim.Ledger().Expired)
				w.requireAccounted()
				require.Empty(t, l.host.troubles())
				l.stop(t)
				require.Empty(t, w.sim.Ledger().Misplaced)
			})
		})
	}
}
