// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadatatest"
)

// betweenPolls is when nothing is on its way, so that what the simulator has served is what the receiver has got.
const betweenPolls = 30 * time.Second

// What was read is delivered, known already, left out as configured, or in the quarantine; there is no other fate.
func TestTheFateOfEveryEventIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 71, Readings: sapbtp.Readings{NoCategory: true}}, func(c *Config) {
			c.Categories = []string{sapbtp.CategorySecurity, sapbtp.CategoryConfiguration}
		})
		start := time.Now()
		w.sim.Generate(w.sub.Tenant, 3000, start.Add(-20*time.Hour), start.Add(time.Hour))
		w.sim.Add(w.sub.Tenant, sapbtp.Record{ID: "text", JSON: []byte(`"a record that is no object"`), Time: start.Add(time.Minute)})
		poison := w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: start.Add(10 * time.Minute)}, sapbtp.Record{Time: start.Add(10 * time.Minute)})[0]
		w.sink.accept = refusing(poison)
		w.runFor(3*time.Hour + betweenPolls)

		accepted, read := int64(0), int64(0)
		for _, n := range w.sink.events {
			accepted += int64(n)
		}
		for _, request := range w.sim.Ledger().Requests(sapbtp.KindRecords) {
			read += int64(request.Rows)
		}
		unwanted := int64(w.sim.Ledger().Count(func(e *sapbtp.Entry) bool {
			return e.ID != "text" && e.Category != sapbtp.CategorySecurity && e.Category != sapbtp.CategoryConfiguration
		}))
		require.Equal(t, int64(w.sim.Ledger().Count())-unwanted-1, accepted)
		require.Equal(t, 1, w.sink.count("sap.btp.audit.unknown"), "what does not say its category is never left out")

		of := func(point metricdata.DataPoint[int64]) []metricdata.DataPoint[int64] {
			return []metricdata.DataPoint[int64]{point}
		}
		anyTime := metricdatatest.IgnoreTimestamp()
		metadatatest.AssertEqualSapBtpAuditEventsRead(t, w.telemetry, of(w.point(read)), anyTime)
		metadatatest.AssertEqualSapBtpAuditEventsDelivered(t, w.telemetry, of(w.point(accepted)), anyTime)
		metadatatest.AssertEqualSapBtpAuditEventsDropped(t, w.telemetry, of(w.point(unwanted, "reason", "category")), anyTime)
		metadatatest.AssertEqualSapBtpAuditEventsQuarantined(t, w.telemetry, of(w.point(1)), anyTime)
		metadatatest.AssertEqualSapBtpAuditEventsMalformed(t, w.telemetry, of(w.point(1)), anyTime)
		metadatatest.AssertEqualSapBtpAuditEventsDuplicate(t, w.telemetry, of(w.point(read-accepted-unwanted-1)), anyTime)
		require.Equal(t, map[string]int64{"http": accepted}, w.sums(t, "otelcol_receiver_accepted_log_records", "transport"))
		require.Equal(t, map[string]int64{"sap_btp_audit": 1}, w.sums(t, "otelcol_receiver_refused_log_records", "receiver"))
	})
}

// An event that is refused alone cannot be told from a backend that is down, so its page is read again until there is another.
func TestTheFateOfAPageThatIsTriedAgainIsCountedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 72, Readings: sapbtp.Readings{NoCategory: true}}, func(c *Config) {
			c.InitialLookback, c.Categories = 0, []string{sapbtp.CategorySecurity}
		})
		at := time.Now().Add(time.Minute)
		unwanted := sapbtp.Record{Time: at, Category: sapbtp.CategoryDataAccess}
		poison := w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: at, Category: sapbtp.CategorySecurity}, unwanted, unwanted)[0]
		for i := range 100 { // others, by which it can be judged
			w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: at.Add(20*time.Minute + time.Duration(i)*time.Minute), Category: sapbtp.CategorySecurity})
		}
		tries, refuse := 0, refusing(poison)
		w.sink.accept = func(logs plog.Logs) error {
			err := refuse(logs)
			if err != nil {
				tries++
			}
			return err
		}
		w.runFor(3*time.Hour + betweenPolls)
		require.Greater(t, tries, 3)
		require.Equal(t, map[string]int64{"category": 2}, w.sums(t, "otelcol_sap_btp_audit_events_dropped", "reason"))
		require.Equal(t, map[string]int64{"": 1}, w.sums(t, "otelcol_sap_btp_audit_events_quarantined", ""))
	})
}

func TestOwnEventsThatAreDroppedAreCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t, func(c *Config) { c.DropOwnEvents = true })
		w.sim.Configure(func(r *sapbtp.Readings) { r.OwnRecords = true })
		w.runFor(3*time.Hour + betweenPolls)
		dropped := w.sums(t, "otelcol_sap_btp_audit_events_dropped", "reason")
		require.Equal(t, []string{"own_event"}, keys(dropped))
		require.Greater(t, dropped["own_event"], int64(3*60), "a poll a minute")
		read := w.sums(t, "otelcol_sap_btp_audit_events_read", "")[""]
		duplicate := w.sums(t, "otelcol_sap_btp_audit_events_duplicate", "")[""]
		require.Equal(t, read, int64(w.sink.total())+duplicate+dropped["own_event"])
	})
}

func TestEventsWithForgedTextAndTokensAreCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 73}, func(c *Config) { c.InitialLookback = 0 })
		at := time.Now().Add(time.Minute)
		event := func(name, data string) sapbtp.Record {
			text, err := json.Marshal(map[string]string{"data": data})
			require.NoError(t, err)
			record, err := json.Marshal(map[string]string{
				"message_uuid": name, "time": at.UTC().Format(time.RFC3339), "tenant": w.sub.Tenant, "category": sapbtp.CategorySecurity, "message": string(text),
			})
			require.NoError(t, err)
			return sapbtp.Record{ID: name, JSON: record, Time: at}
		}
		w.sim.Add(w.sub.Tenant,
			event("plain", `action="login" state="failed" userIdentifier="eva"`),
			event("forged", `action="login" state="failed" userIdentifier="eva" state="successful"`),
			event("token", "access_token=0123456789abcdef"))
		w.runFor(time.Hour + betweenPolls)
		require.Equal(t, 3, w.sink.total())
		require.Equal(t, map[string]int64{"": 1}, w.sums(t, "otelcol_sap_btp_audit_events_ambiguous", ""))
		require.Equal(t, map[string]int64{"": 1}, w.sums(t, "otelcol_sap_btp_audit_events_redacted", ""))
	})
}

func TestRequestsAreCountedByOutcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t, func(c *Config) { c.Concurrency = 1 }) // a revoked token then spoils one request
		once := func(skip int, fault sapbtp.Fault) sapbtp.Rule {
			return sapbtp.Rule{Match: sapbtp.Match{Kind: sapbtp.KindRecords, Skip: 10 * skip}, Times: skip, Fault: fault}
		}
		status := func(code int) sapbtp.Fault { return sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: code} }
		require.NoError(t, w.sim.Script(
			once(1, status(503)), once(2, status(429)), once(3, status(400)), once(4, status(403)), once(5, sapbtp.Fault{Kind: sapbtp.FaultRevoke}),
			once(6, sapbtp.Fault{Kind: sapbtp.FaultReset}), once(7, sapbtp.Fault{Kind: sapbtp.FaultHTML}),
			once(8, sapbtp.Fault{Kind: sapbtp.FaultSlow, Delay: sapbtp.Duration(time.Hour)}), once(9, status(204)),
		))
		w.runFor(10*time.Hour + betweenPolls)
		require.NoError(t, w.sim.Script())
		answered := func(status int) int64 { return int64(w.sim.Ledger().Answered(sapbtp.KindRecords, status)) }
		requests := map[string]int64{
			"server_error": 1, "throttled": 2, "client_error": 3, "forbidden": 4, "unauthorized": 5, "network": 6, "protocol": 7, "timeout": 8,
			"empty": answered(204), "ok": answered(200) - 7 - 8,
		}
		require.Positive(t, requests["ok"])
		require.GreaterOrEqual(t, requests["empty"], int64(9))
		var points []metricdata.DataPoint[int64]
		for outcome, n := range requests {
			points = append(points, w.point(n, "outcome", outcome))
		}
		metadatatest.AssertEqualSapBtpAuditRequests(t, w.telemetry, points, metricdatatest.IgnoreTimestamp())
		require.EqualValues(t, w.sim.Ledger().Total(sapbtp.KindRecords), w.histogram(t, "otelcol_sap_btp_audit_request_duration").Count)
	})
}

func TestTokenRequestsAreCountedByOutcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		require.NoError(t, w.sim.Script(sapbtp.Rule{
			Match: sapbtp.Match{Kind: sapbtp.KindToken, Skip: 1}, Times: 4, Fault: sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 401},
		}))
		for range 3 {
			w.sim.RevokeTokens(w.sub.Tenant)
			w.runFor(2*time.Hour + betweenPolls)
		}
		require.Equal(t, 4, w.sim.Ledger().Answered(sapbtp.KindToken, 401))
		metadatatest.AssertEqualSapBtpAuditTokenRefreshes(t, w.telemetry, []metricdata.DataPoint[int64]{
			w.point(int64(w.sim.Ledger().Answered(sapbtp.KindToken, 200)), "outcome", "ok"), w.point(4, "outcome", "failed"),
		}, metricdatatest.IgnoreTimestamp())
	})
}

func TestCheckpointsAreCountedByOutcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		w.runFor(time.Hour)
		before := w.sums(t, "otelcol_sap_btp_audit_checkpoints", "outcome")
		require.Equal(t, []string{"saved"}, keys(before))
		r, _, err := w.start(crashtest.FailSet("", 5, errDown))
		require.NoError(t, err)
		time.Sleep(time.Hour)
		require.NoError(t, r.Shutdown(t.Context()))
		after := w.sums(t, "otelcol_sap_btp_audit_checkpoints", "outcome")
		require.Equal(t, int64(5), after["failed"])
		require.Greater(t, after["saved"], before["saved"])
	})
}

func TestWindowsThatAreReadAgainAreCountedByReason(t *testing.T) {
	for reason, rule := range map[string]sapbtp.Rule{
		"handle_repeated": {Times: 1, Match: sapbtp.Match{Page: 2}, Fault: sapbtp.Fault{Kind: sapbtp.FaultRepeatHandle}},
		"handle_refused":  {Times: 2, Match: sapbtp.Match{Page: 2}, Fault: sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 400}},
		"full_last_page":  {Times: 1, Match: sapbtp.Match{Page: 1}, Fault: sapbtp.Fault{Kind: sapbtp.FaultNoHandle}},
		"oversized":       {Times: 1, Match: sapbtp.Match{Page: 2}, Fault: sapbtp.Fault{Kind: sapbtp.FaultOversize}},
		"malformed":       {Times: 3, Match: sapbtp.Match{Page: 3}, Fault: sapbtp.Fault{Kind: sapbtp.FaultHalf}},
	} {
		t.Run(reason, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 72}, func(c *Config) {
					c.InitialLookback = time.Hour
					c.Concurrency = 1
				})
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 1600, now.Add(-time.Hour), now.Add(-time.Minute))
				rule.Match.Kind = sapbtp.KindRecords
				require.NoError(t, w.sim.Script(rule))
				w.runFor(10 * time.Minute)
				w.requireExactlyOnce()
				metadatatest.AssertEqualSapBtpAuditWindowRestarts(t, w.telemetry, []metricdata.DataPoint[int64]{w.point(1, "reason", reason)}, metricdatatest.IgnoreTimestamp())
			})
		})
	}
}

// How late SAP is shows in which sweep brought an event first, and in a histogram.
func TestLateEventsAreCountedBySweep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 73}, func(c *Config) { c.InitialLookback = 0 })
		start := time.Now()
		for i := range 100 {
			at := start.Add(time.Duration(i+1) * 101 * time.Second)
			w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: at})
			for _, late := range []time.Duration{90 * time.Second, 4 * time.Minute, 15 * time.Minute, 50 * time.Minute} {
				w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: at, VisibleAt: at.Add(late)})
			}
		}
		w.runFor(8 * time.Hour)
		w.requireExactlyOnce()

		// A quiet subaccount's sweeps are joined to one request, which finds some events before it is their sweep's turn.
		late, buckets := map[string]int64{}, make([]uint64, len(latenessBounds)+1)
		for e := range w.sim.Ledger().Entries() {
			age := w.sink.at[e.ID].Unix() - e.Time.Unix()
			bucket, _ := slices.BinarySearch(latenessBounds, float64(age))
			buckets[bucket]++
			if e.VisibleAt.After(e.Time) {
				late[sweepBelow(age)]++
			}
		}
		require.Greater(t, late["2m"], int64(20))
		require.Greater(t, late["5m"], int64(20))
		require.Greater(t, late["40m"], int64(20))
		var points []metricdata.DataPoint[int64]
		for sweep, n := range late {
			points = append(points, w.point(n, "sweep", sweep))
		}
		metadatatest.AssertEqualSapBtpAuditEventsLate(t, w.telemetry, points, metricdatatest.IgnoreTimestamp())
		histogram := w.histogram(t, "otelcol_sap_btp_audit_event_lateness")
		require.Equal(t, latenessBounds, histogram.Bounds)
		require.Equal(t, buckets, histogram.BucketCounts)
	})
}

var latenessBounds = []float64{10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400}

// sweepBelow is the longest sweep whose delay is less than the age of an event in seconds.
func sweepBelow(age int64) string {
	name := ""
	for _, sweep := range []struct {
		name  string
		delay int64
	}{{"0s", -1}, {"2m", 120}, {"5m", 300}, {"10m", 600}, {"20m", 1200}, {"40m", 2400}, {"1h30m", 5400}, {"3h", 10800}, {"6h", 21600}} {
		if age > sweep.delay {
			name = sweep.name
		}
	}
	return name
}

func TestABackfillSaysNothingAboutLateness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 74})
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 3000, now.Add(-20*time.Hour), now.Add(-time.Hour))
		w.runFor(time.Hour)
		w.requireExactlyOnce()
		require.Zero(t, w.histogram(t, "otelcol_sap_btp_audit_event_lateness").Count)
		require.Empty(t, w.sums(t, "otelcol_sap_btp_audit_events_late", "sweep"))
	})
}

func TestAGapIsCountedInSeconds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := afterRetention(t)
		announced := int64(0)
		for _, gap := range w.sink.gaps() {
			announced += gap["sap.btp.audit.gap.seconds"].(int64)
		}
		require.Positive(t, announced)
		metadatatest.AssertEqualSapBtpAuditGap(t, w.telemetry, []metricdata.DataPoint[int64]{w.point(announced, "reason", "retention")}, metricdatatest.IgnoreTimestamp())
	})
}
