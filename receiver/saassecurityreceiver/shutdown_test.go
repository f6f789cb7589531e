// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// In real time: a storage that hangs holds a mutex, for which virtual time does not wait.
func TestStorageThatHangsDoesNotHoldUpShutdown(t *testing.T) {
	t.Parallel()
	w := listening(t, saassecurity.Options{})
	w.sim.Enqueue(100)
	l := w.prepare()
	hangs, works := make(chan struct{}), make(chan struct{})
	var once sync.Once
	l.storage.FailSet = func(key string) error {
		if strings.HasPrefix(key, "spool_0/e") {
			once.Do(func() { close(hangs) })
			<-works
		}
		return nil
	}
	require.NoError(t, l.Start(t.Context(), l.host))
	<-hangs
	require.ErrorContains(t, crashtest.HurriedShutdown(t.Context(), l.Shutdown), "the storage does not answer")
	close(works)
	require.Eventually(t, func() bool { return len(l.storage.Open()) == 0 }, patience, time.Millisecond, "it is closed when it answers")
}

// A read that still waits for its token has taken no events: it is not sent any more, and nobody waits for it.
func TestNoReadIsSentAfterShutdownHasBegun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.network.tokens = &late{w.network.tokens, 40 * time.Second}
		w.sim.Enqueue(100)
		l := w.mustStart()
		time.Sleep(5 * time.Second)
		start := time.Now()
		l.stop(t)
		require.Zero(t, time.Since(start))
		require.Empty(t, w.sim.Ledger().Reads)
		require.Empty(t, w.messages(zapcore.WarnLevel))

		w.runFor(2 * time.Minute)
		w.requireDelivered(upTo(100))
		require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
	})
}

// late lets requests wait.
type late struct {
	http.RoundTripper
	by time.Duration
}

func (l *late) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := sleep(req.Context(), l.by); err != nil {
		return nil, err
	}
	return l.RoundTripper.RoundTrip(req)
}
