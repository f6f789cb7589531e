// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

var errDead = errors.New("the process is dead")

// crashes runs lives of a receiver that die with a write of their storage, and keeps the books over them.
type crashes struct {
	*world
	counted int // reads that a start counted, because the life before may have had them open
	deaths  int
}

// live runs one life until all is delivered or it dies, and reports whether it died.
func (c *crashes) live(options ...crashtest.Option) bool {
	c.t.Helper()
	var dead atomic.Bool
	telemetry, base := c.telemetry, c.network.reads
	c.telemetry = componenttest.NewTelemetry() // what a dead process has counted is gone with it
	defer func() {
		require.NoError(c.t, c.telemetry.Shutdown(context.Background()))
		c.telemetry, c.network.reads = telemetry, base
	}()
	c.network.reads = roundTripper(func(r *http.Request) (*http.Response, error) {
		if dead.Load() {
			return nil, errDead
		}
		return base.RoundTrip(r)
	})
	c.sink.do(func(context.Context, plog.Logs) error {
		if dead.Load() {
			return errDead
		}
		return nil
	})
	l, err := c.start(append(options, crashtest.OnCrash(func() { dead.Store(true) }))...)
	if err != nil {
		require.ErrorIs(c.t, err, crashtest.ErrCrashed)
	} else {
		for range 100 {
			if time.Sleep(20 * time.Millisecond); dead.Load() {
				break
			}
		}
	}
	if !dead.Load() {
		require.NoError(c.t, l.Shutdown(c.t.Context()))
	}
	c.counted += c.metric("saas_security_reads_unknown_outcome", "reason", "unclean_stop")
	if !dead.Load() {
		require.Zero(c.t, c.metric("saas_security_reads_unknown_outcome")-c.metric("saas_security_reads_unknown_outcome", "reason", "unclean_stop"))
		return false
	}
	c.deaths++
	gone, cancel := context.WithCancel(c.t.Context())
	cancel()
	_ = l.Shutdown(gone) // only to end its goroutines
	return true
}

// settle checks the books after a last life in which nothing went wrong.
func (c *crashes) settle(when string) {
	c.t.Helper()
	require.False(c.t, c.live(), when)
	l := c.sim.Ledger()
	require.Zero(c.t, l.Queued, when)
	lost := 0
	for _, read := range l.Reads {
		missing := 0
		for _, n := range read.Dequeued {
			if len(c.sink.found[n]) == 0 {
				missing++
			}
			require.LessOrEqual(c.t, len(c.sink.found[n]), 1, "%s: event %d came under several uids", when, n)
		}
		if missing > 0 {
			require.Len(c.t, read.Dequeued, missing, "%s: a reply is committed as a whole or not at all", when)
			lost++
		}
	}
	require.LessOrEqual(c.t, lost, c.counted, "%s: replies that are gone, and reads that were counted as in doubt", when)
	require.LessOrEqual(c.t, c.counted, c.deaths*4, "%s: readers that may have been open", when)
	repeated := 0
	for _, n := range c.sink.uids {
		repeated += n - 1
	}
	require.LessOrEqual(c.t, repeated, c.deaths*workers, "%s: repeats", when)
}

func newCrashes(t *testing.T) *crashes {
	t.Helper()
	// Replies of one event each, which count as full: many runs, and several readers, for little work.
	c := &crashes{world: newWorld(t, saassecurity.Options{
		Latency: 10 * time.Millisecond,
		Rules:   []saassecurity.Rule{{On: saassecurity.Bulk, Fault: saassecurity.Fault{Status: 404}}},
	}, func(cfg *Config) {
		cfg.MaxReaders = 4
		cfg.PollInterval = time.Second
	})}
	c.sim.Enqueue(8)
	return c
}

func TestNoCrashLosesACommittedReply(t *testing.T) {
	for _, options := range [][]crashtest.Option{nil, {crashtest.Unacknowledged()}, {crashtest.NonAtomic(), crashtest.Unacknowledged()}} {
		t.Run(strconv.Itoa(len(options)), func(t *testing.T) {
			t.Parallel()
			for k, died := 0, true; died; k++ {
				bubble(t, func(t *testing.T) {
					c := newCrashes(t)
					died = c.live(append(options, crashtest.CrashAfter(k))...)
					c.settle(fmt.Sprintf("crash after write %d", k))
					require.True(t, died || k > 20, "the test writes too little to be worth something: %d", k)
				})
			}
		})
	}
}

// The second crash comes while the first is being recovered from.
func TestNoPairOfCrashesLosesACommittedReply(t *testing.T) {
	for k1 := range 25 {
		t.Run(strconv.Itoa(k1), func(t *testing.T) {
			t.Parallel()
			for k2, died := 0, true; died; k2++ {
				bubble(t, func(t *testing.T) {
					c := newCrashes(t)
					c.live(crashtest.CrashAfter(k1))
					c.sim.Enqueue(2)
					died = c.live(crashtest.CrashAfter(k2), crashtest.Unacknowledged())
					c.settle(fmt.Sprintf("crash after write %d, then after write %d", k1, k2))
				})
			}
		})
	}
}
