// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// maxRSS is the bar for the whole Collector, in bytes, however large the backfill. Here it plays the SIEM as well.
const maxRSS = 150_000_000

func TestBackfillStaysWithinMemory(t *testing.T) {
	backfill := setting(t, "E2E_BACKFILL", 50_000)
	s := newStand(t,
		[]string{"receivers::sap_btp_audit::requests_per_second: 1000"},
		[]string{"-backfill", strconv.Itoa(backfill), "-backfill-days", backfillDays, "-rate", "5", "-late", "", "-requests-per-second", "0"})
	began := time.Now()
	s.start()
	s.settle(time.Minute + time.Duration(backfill)*2*time.Millisecond)
	took := time.Since(began)
	peak := peakRSS(t, s.collector.PID())
	s.stop()
	s.look()
	state := s.book.State()
	t.Logf("%d events in %s (%.0f/s), peak RSS %.1f MB: %+v", state.Arrived, took.Round(time.Second),
		float64(state.Arrived)/took.Seconds(), float64(peak)/1e6, state)
	require.GreaterOrEqual(t, state.Arrived, backfill)
	require.Zero(t, state.Repeated)
	require.Zero(t, state.Unknown)
	require.Less(t, peak, maxRSS)
}

// peakRSS is the largest resident set that the process ever had, in bytes.
func peakRSS(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	require.NoError(t, err, "only Linux tells the peak memory of a process")
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			require.NoError(t, err)
			return kib << 10
		}
	}
	require.Fail(t, "no VmHWM in /proc/PID/status")
	return 0
}
