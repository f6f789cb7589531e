// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// The backfill of a month at the rate that SAP allows, with live traffic, and a kill in the middle of it.
func TestABackfillSurvivesAKill(t *testing.T) {
	t.Parallel()
	const (
		allowed     = 8 // requests a second, as in the quickstart's configuration
		concurrency = 4 // the receiver's default
	)
	backfill := setting(t, "E2E_KILLED_BACKFILL", 20_000)
	s := newStand(t, nil, []string{
		"-backfill", strconv.Itoa(backfill), "-backfill-days", backfillDays, "-rate", "5", "-late", "",
		"-requests-per-second", strconv.Itoa(allowed),
	})
	began := time.Now()
	s.start()
	limit := time.Minute + time.Duration(backfill)*2*time.Millisecond
	s.within(limit, "half of the backfill has arrived", func() bool {
		s.alive()
		s.look()
		return s.book.State().Arrived > backfill/2
	})
	s.kill()
	s.look()
	newestMissing, oldestArrived := s.book.Order(began)
	half := s.book.State()
	s.start()
	s.settle(limit)
	s.stop()
	s.look()

	state, served := s.book.State(), s.summary()
	t.Logf("%s; %d had arrived at the kill, from %s back to %s; requests within a second: %d; %+v", time.Since(began).Round(time.Second),
		half.Arrived, newestMissing.Format(time.DateTime), oldestArrived.Format(time.DateTime), served.MaxRate, state)
	require.GreaterOrEqual(t, state.Arrived, backfill)
	require.Zero(t, state.Unknown)
	require.Zero(t, state.Renamed)
	require.LessOrEqual(t, state.Repeated, repeatsPerKill)
	require.Zero(t, s.extra)
	// Newest first: what was missing was older than what had arrived, but for the windows that were open.
	month := 30 * 24 * time.Hour
	require.Less(t, newestMissing.Sub(oldestArrived), month/8)
	// The requests that are open at a time may come together where other tests keep the machine busy. At full size it is not, and
	// how requests are spaced is tested within the receiver, in virtual time.
	together := concurrency
	if os.Getenv("E2E_KILLED_BACKFILL") != "" {
		together = 0
	}
	require.LessOrEqual(t, served.MaxRate, allowed+together)
	require.LessOrEqual(t, served.Answers["records 200"]+served.Answers["records 204"], int(time.Since(began).Seconds()+1)*allowed)
	require.Zero(t, served.Answers["records 429"])
}

// summary is what the simulated SAP BTP has counted.
func (s *stand) summary() (summary sapbtp.Summary) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.simulator+"/_sim/ledger", http.NoBody)
	require.NoError(s.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	require.NoError(s.t, json.NewDecoder(resp.Body).Decode(&summary))
	return summary
}
