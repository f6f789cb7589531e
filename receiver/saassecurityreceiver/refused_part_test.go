// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// A large reply is delivered in parts; a refused record in the first does not hold up the next ones, nor are they repeated.
func TestRefusedRecordOfOnePartHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Oversize: 64 << 10}}}})
		w.refusing(errors.New("failed to execute statement"), 1)
		w.sim.Enqueue(100)
		l := w.mustStart()
		time.Sleep(10 * time.Minute)
		require.Equal(t, 99, w.sink.events())
		time.Sleep(time.Hour)
		require.Equal(t, 99, w.sink.events())
		l.stop(t)
	})
}
