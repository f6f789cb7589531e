// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// A large reply is delivered in parts; a refused record in the first does not hold up the next ones, nor are they repeated.
func TestRefusedRecordOfOnePartHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		padding := strings.Repeat("x", partBytes/10)
		w.sink.do(refusing(saassecurity.Marker(1)))
		for n := range 100 {
			w.sim.EnqueueRaw(fmt.Sprintf(`{"log_type":"incident","item_name":%q,"serial":"s-1","padding":%q}`, saassecurity.Marker(int64(n)), padding))
		}
		l := w.mustStart()
		time.Sleep(10 * time.Minute)
		require.Equal(t, 99, w.sink.events())
		time.Sleep(time.Hour)
		w.sink.mu.Lock()
		defer w.sink.mu.Unlock()
		for uid, n := range w.sink.uids {
			require.Equal(t, 1, n, "%s came again", uid)
		}
		l.stop(t)
	})
}
