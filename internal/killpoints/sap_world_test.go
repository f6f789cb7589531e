// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/completeness"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

const (
	recordsPath = "/auditlogrecords"
	pageRecords = 500
)

// sapWorld has a simulated SAP BTP with one subaccount.
type sapWorld struct {
	*world

	sim *sapbtp.Simulator
}

// newSAP makes a world with several windows to read, so many at a time, and one of them of more than one page.
func newSAP(t *testing.T, windows int) *sapWorld {
	t.Helper()
	sim := sapbtp.New(sapbtp.Options{Seed: 21})
	sub := sim.Subaccount(0)
	w := &sapWorld{sim: sim, world: newWorld(t, sim, map[string]any{
		"client_id": sub.ClientID, "client_secret": sub.ClientSecret, "concurrency": windows, "initial_lookback": "2h",
		"sweeps": []string{"0s", "1s"}, "poll_interval": "100ms", "requests_per_second": 1000,
	})}
	w.config["token_url"] = w.url
	now := time.Now()
	sim.Generate(sub.Tenant, 510, now.Add(-80*time.Minute), now.Add(-75*time.Minute))
	sim.Generate(sub.Tenant, 40, now.Add(-5*time.Minute), now.Add(-5*time.Second))
	return w
}

// live lives a life until it is killed or has read all that is older than itself, and tells which.
func (w *sapWorld) live(kill *point, at *request) (killed bool) {
	w.t.Helper()
	return w.world.live(life{Receiver: sap, Kill: kill}, at)
}

// settle closes the books of sap_btp_audit after a last life in which nothing goes wrong, and returns how many events came
// again. Whatever was killed before: nothing is missing, and what came again came under the same log.record.uid and is no
// more than a page a kill, because one page is delivered at a time.
func (w *sapWorld) settle() (repeated int) {
	w.t.Helper()
	require.False(w.t, w.live(nil, nil))
	book := completeness.NewBook()
	for e := range w.sim.Ledger().Entries() {
		book.Exists(e.ID, e.VisibleAt)
	}
	w.arrivals(book, func(r plog.LogRecord) string {
		id, known := r.Attributes().Get("sap.btp.audit.message_uuid")
		require.True(w.t, known, "an event: %s", r.EventName())
		return id.Str()
	})
	state := book.State()
	require.Equal(w.t, state.Visible, state.Arrived, "missing: %v", book.MissingIDs(time.Now(), 3))
	require.Zero(w.t, state.Unknown, "events that do not exist")
	require.Zero(w.t, state.Renamed, "events that came again under another log.record.uid")
	require.LessOrEqual(w.t, state.Repeated, w.kills*pageRecords)
	return state.Repeated
}
