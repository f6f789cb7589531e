// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

var apiDown = saassecurity.Rule{Fault: saassecurity.Fault{Status: 503}}

func TestDangerOfExpiryIsReportedInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{LongPoll: 20 * time.Second})
		l := w.mustStart()
		time.Sleep(5 * time.Minute)
		require.Less(t, w.metric("saas_security_expiry_risk"), 60)
		w.sim.AddRules(apiDown)
		time.Sleep(15 * time.Minute)
		require.NotContains(t, l.host.troubles(), "expiry")
		time.Sleep(7 * time.Minute)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
		require.InDelta(t, 22*60, w.metric("saas_security_expiry_risk"), 60)
		w.sim.ClearRules()
		w.sim.Enqueue(10)
		time.Sleep(2 * time.Minute)
		require.Empty(t, l.host.troubles())
		require.Less(t, w.metric("saas_security_expiry_risk"), 60)
		require.Zero(t, w.metric("saas_security_gap"))
		l.stop(t)
		w.requireDelivered(upTo(10))
	})
}

func TestReadingThatDoesNotKeepUpIsReportedToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 25 * time.Second}, func(cfg *Config) { cfg.MaxReaders = 1 })
		w.sim.Enqueue(6000)
		l := w.mustStart()
		time.Sleep(15 * time.Minute)
		require.Empty(t, l.host.troubles())
		time.Sleep(7 * time.Minute)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
		time.Sleep(5 * time.Minute)
		require.Empty(t, l.host.troubles())
		w.requireDelivered(upTo(6000))
		l.stop(t)
	})
}

func TestTimeThatWasNotReadIsAnnounced(t *testing.T) {
	for name, outage := range map[string]func(*world){
		"API down": func(w *world) {
			l := w.mustStart()
			time.Sleep(10 * time.Minute)
			w.sim.AddRules(apiDown)
			time.Sleep(3 * time.Hour)
			require.Contains(w.t, l.host.troubles(), "expiry: reading is behind for more than an hour")
			w.sim.ClearRules()
			time.Sleep(2 * time.Minute)
			require.Contains(w.t, l.host.troubles(), "gap: ")
			l.stop(w.t)
		},
		"collector down": func(w *world) {
			w.runFor(10 * time.Minute)
			time.Sleep(3 * time.Hour)
			w.runFor(2 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{})
				start := time.Now()
				outage(w)
				require.InDelta(t, 2*3600, w.metric("saas_security_gap"), 120)
				require.Equal(t, map[string]int{eventGap: 1}, w.sink.byName())
				lr := observed.Records(w.sink.logs[0])[0]
				attrs := lr.Attributes().AsRaw()
				from, err := time.Parse(time.RFC3339, attrs["saas_security.gap.from"].(string))
				require.NoError(t, err)
				require.InDelta(t, 10, from.Sub(start).Minutes(), 1)
				to, err := time.Parse(time.RFC3339, attrs["saas_security.gap.to"].(string))
				require.NoError(t, err)
				require.InDelta(t, 130, to.Sub(start).Minutes(), 2)
				require.Equal(t, to, lr.Timestamp().AsTime())
				require.NotEmpty(t, attrs[attrUID])
				require.Contains(t, w.messages(zapcore.ErrorLevel)[0], "Events may have expired unread; a gap record announces what may be missing")
				require.Equal(t, "expired", attrs["saas_security.gap.reason"])
			})
		})
	}
}

func TestFirstStartAnnouncesNoGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.sim.AddRules(apiDown)
		l := w.mustStart()
		time.Sleep(2 * time.Hour)
		w.sim.ClearRules()
		time.Sleep(2 * time.Minute)
		require.Empty(t, w.sink.byName(), "nobody knows since when there are events")
		l.stop(t)
	})
}

// gaps are the records of holes in the trail.
func (s *sink) gaps() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []map[string]any
	for _, logs := range s.logs {
		for _, lr := range observed.Records(logs) {
			if lr.EventName() == eventGap {
				out = append(out, lr.Attributes().AsRaw())
			}
		}
	}
	return out
}

func gapTime(t *testing.T, gap map[string]any, end string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, gap["saas_security.gap."+end].(string))
	require.NoError(t, err)
	return at
}

// Replies keep coming, but more events wait than are read before they expire.
func TestEventsThatExpireBecauseReadingIsSlowAreAnnounced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 20 * time.Second}, func(cfg *Config) { cfg.MaxReaders = 1 })
		l := w.mustStart()
		start := time.Now()
		time.Sleep(10 * time.Second)
		w.sim.Enqueue(30_000)
		time.Sleep(59 * time.Minute)
		require.Empty(t, w.sink.gaps())
		time.Sleep(90 * time.Minute)
		require.Positive(t, w.sim.Ledger().Expired)
		require.NotContains(t, l.host.troubles(), "expiry", "what did not expire was read")
		require.Contains(t, l.host.troubles(), "gap: ")
		gaps := w.sink.gaps()
		require.Len(t, gaps, 1, "the rest expired at once")
		require.Equal(t, "behind", gaps[0]["saas_security.gap.reason"])
		require.InDelta(t, 0, gapTime(t, gaps[0], "from").Sub(start).Seconds(), 30)
		l.stop(t)
	})
}

func TestGapGrowsWhileReadingStaysBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 20 * time.Second}, func(cfg *Config) { cfg.MaxReaders = 1 })
		start := time.Now()
		for life := range 2 { // a restart begins no new count
			l := w.mustStart()
			for range 50 {
				w.sim.Enqueue(1400) // of which 600 can be read
				time.Sleep(2 * time.Minute)
			}
			require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than an hour", "life %d", life)
			l.stop(t)
		}
		require.Positive(t, w.sim.Ledger().Expired)
		announced := w.metric("saas_security_gap")
		w.runFor(time.Second) // delivers what is left
		gaps := w.sink.gaps()
		require.InDelta(t, 14, len(gaps), 2, "200 minutes less an hour, in steps")
		end := start
		for _, gap := range gaps {
			require.Equal(t, "behind", gap["saas_security.gap.reason"])
			require.InDelta(t, 0, gapTime(t, gap, "from").Sub(end).Seconds(), 30, "nothing twice, and nothing left out")
			end = gapTime(t, gap, "to")
		}
		require.InDelta(t, end.Sub(start).Seconds(), announced, 60)
		require.InDelta(t, 140, end.Sub(start).Minutes(), 12)
	})
}

func TestRestartKeepsTheDangerOfExpiry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 5 * time.Second}, func(cfg *Config) { cfg.MaxReaders = 1 })
		w.sim.Enqueue(60_000)
		l := w.mustStart()
		time.Sleep(25 * time.Minute)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
		l.stop(t)
		l = w.mustStart()
		time.Sleep(time.Minute)
		require.InDelta(t, 26*60, w.metric("saas_security_expiry_risk"), 30, "the backlog is the same")
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
		l.stop(t)
	})
}

// afterAnOutage is a world whose receiver ran for a while, and was down since for longer than events are kept.
func afterAnOutage(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, saassecurity.Options{})
	w.runFor(10 * time.Minute)
	time.Sleep(3 * time.Hour)
	return w
}

// What a damaged record says nothing about is assumed at its worst: as many reads as there can be, and a gap.
func TestDamagedReadingRecordIsNoFirstStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := afterAnOutage(t)
		w.disk.Flip(t, "/reading", 60)
		w.sim.AddRules(apiDown)
		w.runFor(time.Second) // announces nothing yet, and must not forget it
		w.sim.ClearRules()
		w.runFor(time.Minute)
		require.Equal(t, maxReaders, w.metric("saas_security_reads_unknown_outcome", "reason", "unclean_stop"))
		require.Contains(t, w.messages(zapcore.ErrorLevel)[1], "The record of what the last run had read is damaged")
		gaps := w.sink.gaps()
		require.Len(t, gaps, 1)
		require.Equal(t, "unknown", gaps[0]["saas_security.gap.reason"])
		require.NotContains(t, gaps[0], "saas_security.gap.from")
		require.NotContains(t, gaps[0], "saas_security.gap.seconds")
		require.InDelta(t, 61, time.Since(gapTime(t, gaps[0], "to")).Minutes(), 2)
		w.runFor(10 * time.Minute)
		require.Len(t, w.sink.gaps(), 1)
	})
}

func TestGapRecordThatCannotBeStoredIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := afterAnOutage(t)
		l := w.prepare()
		fails := 3
		l.storage.FailSet = func(key string) error {
			if strings.HasPrefix(key, "spool_0/e") && fails > 0 {
				fails--
				return errBroken
			}
			return nil
		}
		require.NoError(t, l.Start(t.Context(), l.host))
		time.Sleep(time.Second)
		require.Contains(t, l.host.troubles(), "gap: some events may have expired unread, and the gap record that announces it cannot be stored yet")
		require.Zero(t, w.metric("saas_security_gap"))
		time.Sleep(2 * time.Minute)
		require.Len(t, w.sink.gaps(), 1)
		require.InDelta(t, 2*3600, w.metric("saas_security_gap"), 120)
		l.stop(t)
	})
}

// The reply that ends an outage can be the last one of a run.
func TestGapIsAnnouncedAtShutdownToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := afterAnOutage(t)
		w.sim.AddRules(saassecurity.Rule{Fault: saassecurity.Fault{Delay: 10 * time.Second}})
		w.sim.Enqueue(1)
		w.runFor(5 * time.Second)
		require.InDelta(t, 2*3600, w.metric("saas_security_gap"), 120)
		w.runFor(5 * time.Second)
		require.Len(t, w.sink.gaps(), 1)
	})
}

// The clock was two days ahead when the last run noted how far it had come.
func TestClockThatWasAheadHidesNoDanger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.runFor(10 * time.Minute)
		l := w.prepare()
		w.noteAhead(l, 48*time.Hour)
		require.NoError(t, l.Start(t.Context(), l.host))
		time.Sleep(time.Minute)
		w.sim.AddRules(apiDown)
		time.Sleep(3 * time.Hour)
		require.InDelta(t, 3*3600, w.metric("saas_security_expiry_risk"), 60)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than an hour")
		w.sim.ClearRules()
		time.Sleep(3 * time.Minute)
		require.InDelta(t, 2*3600, w.metric("saas_security_gap"), 120)
		require.Len(t, w.sink.gaps(), 1)
		l.stop(t)
	})
}

// noteAhead moves what storage says of the progress of reading.
func (w *world) noteAhead(l *life, by time.Duration) {
	w.t.Helper()
	client, err := l.storage.GetClient(w.t.Context(), component.KindReceiver, storageID, "")
	require.NoError(w.t, err)
	var noted readingRecord
	require.NoError(w.t, durable.Load(w.t.Context(), client, readingKey, readingVersion, &noted))
	noted.ReadAt, noted.CaughtUpAt, noted.Announced = noted.ReadAt.Add(by), noted.CaughtUpAt.Add(by), noted.Announced.Add(by)
	require.NoError(w.t, durable.Save(w.t.Context(), client, readingKey, readingVersion, noted))
	require.NoError(w.t, client.Close(w.t.Context()))
}
