// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// While the next component is down, replies of two megabytes fill one segment after the other, and are read back meanwhile.
func TestOutageOverManySegmentsMissesNothingAndSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{
			Latency: 50 * time.Millisecond, Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Oversize: 2 << 20}}},
		})
		l := w.mustStart()
		for range 3 {
			w.sink.refuse(errDown)
			w.sim.Enqueue(2400)
			time.Sleep(20 * time.Second)
			w.sink.do(nil)
			time.Sleep(3 * time.Minute)
		}
		w.requireDelivered(upTo(7200))
		require.Zero(t, w.metric("saas_security_spool_missing"))
		require.Empty(t, w.messages(zapcore.ErrorLevel))
		require.Empty(t, l.host.troubles())
		l.stop(t)
		w.runFor(time.Minute)
		require.Zero(t, w.metric("saas_security_spool_missing"))
	})
}
