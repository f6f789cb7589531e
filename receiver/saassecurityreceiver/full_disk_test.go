// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// A full disk stops reading; what was read already waits in memory for the space that delivery makes.
func TestFullDiskStopsReadingAndLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 100 * time.Millisecond})
		w.sink.refuse(errDown)
		w.sim.Enqueue(5000)
		l := w.mustStart(crashtest.MaxBytes(500_000)) // some seven replies
		time.Sleep(5 * time.Minute)
		require.Contains(t, l.host.troubles(), "storage: the storage does not take what was read; reading waits until it works")
		reads := len(w.sim.Ledger().Reads)
		require.Less(t, reads, 30)
		require.Positive(t, w.sim.Ledger().Queued)
		time.Sleep(5 * time.Minute)
		require.Len(t, w.sim.Ledger().Reads, reads)
		w.sink.do(nil)
		time.Sleep(3 * time.Minute)
		w.requireDelivered(upTo(5000))
		require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

func TestReadingWaitsForAReplyThatTheDiskDoesNotTake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{
			Latency: 100 * time.Millisecond, // the second of the replies is too large
			Rules:   []saassecurity.Rule{{Skip: 1, Times: 1, Fault: saassecurity.Fault{Oversize: 1 << 20}}},
		})
		w.sim.Enqueue(2000)
		l := w.mustStart(crashtest.MaxBytes(500_000))
		time.Sleep(5 * time.Minute)
		require.Less(t, len(w.sim.Ledger().Reads), 8, "others would have had room")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, l.Shutdown(ctx))
		require.Equal(t, 1, w.metric("saas_security_reads_unknown_outcome", "reason", "not_stored"))
	})
}

func TestWhatTheDiskDoesNotTakeUntilTheEndIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.sim.Enqueue(100)
		l := w.mustStart(crashtest.MaxBytes(2000))
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		require.Error(t, l.Shutdown(ctx))
		require.Equal(t, 1, w.metric("saas_security_reads_unknown_outcome", "reason", "not_stored"))
		require.Contains(t, strings.Join(w.messages(zapcore.ErrorLevel), "\n"), "What was read could not be stored before the end: its events are lost")
	})
}
