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

func TestEveryEventArrivesOnce(t *testing.T) {
	for name, options := range map[string]saassecurity.Options{
		"as documented":           {},
		"long poll":               {LongPoll: 20 * time.Second},
		"slow":                    {Latency: 3 * time.Second},
		"bare list":               {Shape: saassecurity.ShapeList},
		"single events":           {Shape: saassecurity.ShapeSingle},
		"any shape":               {Shape: saassecurity.ShapeMixed, Empty: saassecurity.EmptyMixed, ShortReplies: 0.5},
		"empty list":              {Empty: saassecurity.EmptyEvents},
		"empty body":              {Empty: saassecurity.EmptyBody},
		"token of few words":      {OmitExpiresIn: true, BareToken: true},
		"tokens end after 10 s":   {TokenLifetime: 10 * time.Second, Latency: time.Second},
		"a new token ends others": {TokenLifetime: 10 * time.Second, OneToken: true, Latency: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, options)
				w.sim.Enqueue(1234)
				l := w.mustStart()
				time.Sleep(2 * time.Minute)
				w.sim.Enqueue(321)
				time.Sleep(18 * time.Minute)
				w.requireDelivered(upTo(1555))
				require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
				require.Zero(t, w.metric("saas_security_spool_entries"))
				require.Equal(t, 1555, w.metric("saas_security_events_delivered"))
				require.Empty(t, l.host.troubles())
				require.Empty(t, w.messages(zapcore.WarnLevel))
				l.stop(t)
				require.Empty(t, w.sim.Ledger().Misplaced, "the token and the secret go nowhere else")
			})
		})
	}
}
