// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

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
