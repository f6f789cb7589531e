// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func TestLiveTrafficFollowsTheClock(t *testing.T) {
	sim := New(Options{Subaccounts: 3, Now: at(noon)})
	live := sim.Live(2.5)
	require.Zero(t, live.Tick(noon))
	require.Equal(t, 2, live.Tick(noon.Add(time.Second)))
	require.Equal(t, 3, live.Tick(noon.Add(2*time.Second)))
	require.Equal(t, 145, live.Tick(noon.Add(time.Minute)))
	require.Zero(t, live.Tick(noon), "time never runs backwards")
	for _, sub := range sim.Subaccounts() {
		require.Equal(t, 50, sim.Ledger().Count(InTenant(sub.Tenant), Between(noon, noon.Add(time.Minute))))
	}
}

func TestLiveTrafficRunsUntilItIsEnded(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		sim := New(Options{})
		end := sim.Live(10).Begin(500 * time.Millisecond)
		defer end()
		time.Sleep(10*time.Second + time.Millisecond)
		require.Len(t, sim.Ledger().IDs(), 100)
		end()
		end()
		time.Sleep(10 * time.Second)
		require.Len(t, sim.Ledger().IDs(), 100)
	})
}
