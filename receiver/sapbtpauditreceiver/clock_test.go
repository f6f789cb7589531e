// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A clock that is suddenly months ahead would make everything look as if SAP kept it no longer.
func TestAClockThatWasSetIsNotTrustedBeforeTheNextAnswer(t *testing.T) {
	for _, step := range []time.Duration{100 * 24 * time.Hour, -100 * 24 * time.Hour} {
		var c sourceClock
		require.False(t, isProven(&c), "nothing was answered yet")
		c.observe(time.Time{})
		require.True(t, isProven(&c))
		c.showed -= int64(step / time.Second) // as if the local clock had been set by the step since then
		require.False(t, isProven(&c))
		c.observe(time.Now().Add(-step))
		require.True(t, isProven(&c))
	}
}

// That the server's clock is believed for a while only must not make the local one count where something is given up.
func TestWhatAnAnswerHasProvenHoldsForLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const behind = 100 * 24 * time.Hour
		var c sourceClock
		c.observe(time.Now().Add(-behind))
		time.Sleep(95 * 24 * time.Hour)
		require.Equal(t, time.Now().Unix(), c.now())
		now, ok := c.proven()
		require.True(t, ok)
		require.InDelta(t, time.Now().Add(-behind).Unix(), now, 1)
	})
}

func isProven(c *sourceClock) bool {
	_, ok := c.proven()
	return ok
}
