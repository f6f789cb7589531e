// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

func TestFlippedByteCostsOneEntryAndIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(500)
		w.disk.Flip(t, w.entryKeys()[2], 1000)
		l := w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 400, w.sink.events())
		require.Equal(t, 1, w.metric("saas_security_spool_corrupt"))
		require.Equal(t, 1, w.metric("saas_security_quarantine_entries"), "what is left of it is kept")
		require.Zero(t, w.metric("saas_security_spool_entries"))
		require.Contains(t, l.host.troubles(), "quarantine: damaged entries of the spool")
		l.stop(t)
		kept := false
		for _, key := range w.disk.Keys() {
			kept = kept || strings.HasPrefix(key, "/quarantine/item/")
		}
		require.True(t, kept)
	})
}

func TestDamagedEntryStaysInTheSpoolWhileTheQuarantineIsBroken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(500)
		w.disk.Flip(t, w.entryKeys()[0], 1000)
		l := w.mustStart(crashtest.FailSet("/quarantine/index", 10, errBroken))
		time.Sleep(time.Second)
		require.Equal(t, 400, w.sink.events(), "the others are not held up")
		require.Equal(t, 1, w.metric("saas_security_spool_entries"))
		require.Contains(t, l.host.troubles(), "quarantine: ")
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, w.metric("saas_security_quarantine_entries"))
		require.Zero(t, w.metric("saas_security_spool_entries"))
		l.stop(t)
	})
}

func TestSegmentThatIsGoneIsReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(200)
		for _, key := range w.disk.Keys() {
			if strings.HasPrefix(key, "spool_0/") {
				require.NoError(t, w.disk.Client().Delete(t.Context(), key))
			}
		}
		w.sim.Enqueue(100)
		l := w.mustStart()
		time.Sleep(5 * time.Minute)
		require.Equal(t, 100, w.sink.events())
		require.Equal(t, 1, w.metric("saas_security_spool_lost"))
		require.Contains(t, l.host.troubles(), "lost: a part of the spool is gone")
		l.stop(t)
	})
}

func TestDamagedNotesOfTheSpoolAreMendedAndReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Shape: saassecurity.ShapeSingle})
		w.fill(300) // more than a head knows of in advance
		w.disk.Flip(t, "spool_0/head", 40)
		w.sink.refuse(errDown)
		w.sim.Enqueue(100)
		l := w.mustStart()
		time.Sleep(5 * time.Minute)
		require.Contains(t, l.host.troubles(), "damage: what the spool notes of itself was damaged and made anew")
		require.Equal(t, 1, w.metric("saas_security_spool_repaired"))
		require.Equal(t, 400, w.metric("saas_security_spool_entries"))
		w.sink.do(nil)
		time.Sleep(5 * time.Minute)
		w.requireDelivered(upTo(400))
		require.Zero(t, w.metric("saas_security_spool_missing"))
		l.stop(t)
	})
}

func TestEntriesMissingFromTheSpoolAreReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(500)
		for _, key := range w.entryKeys()[3:] {
			require.NoError(t, w.disk.Client().Delete(t.Context(), key))
		}
		l := w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 300, w.sink.events())
		require.Equal(t, 2, w.metric("saas_security_spool_missing"))
		require.Contains(t, l.host.troubles(), "lost: entries are missing from the spool")
		l.stop(t)
	})
}

func TestUnreadableSegmentIsNamedWhileOthersAreDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		storage := crashtest.NewNamedExtension(w.disk)
		s, err := spool.Open(t.Context(), spool.Settings{ // as if replies had filled three segments
			Root: storage.Uncounted(""), OpenClient: storage.OpenClient, MaxBytes: 1 << 30, SegmentBytes: 1000, Logger: zap.NewNop(),
		})
		require.NoError(t, err)
		for n := range 3 {
			room, err := s.Reserve(t.Context(), 5000)
			require.NoError(t, err)
			body := fmt.Sprintf(`{"log_type":"incident","item_name":"%d %s"}`, n, strings.Repeat("x", 1000))
			_, err = room.Commit(t.Context(), spool.Batch{ReceivedAt: time.Now(), Body: []byte(body)})
			require.NoError(t, err)
		}
		require.NoError(t, s.Close(t.Context()))

		l := w.mustStart(crashtest.FailGet("spool_1/head", 40, errBroken))
		time.Sleep(2 * time.Minute)
		require.Equal(t, 2, w.metric("saas_security_events_delivered"))
		require.Equal(t, 1, w.metric("saas_security_spool_unreadable"))
		require.Contains(t, l.host.troubles(), "replay: segments [1] of the spool cannot be read")
		require.Contains(t, strings.Join(w.messages(zapcore.ErrorLevel), "\n"), "A segment of the spool cannot be read")
		time.Sleep(time.Hour)
		require.Equal(t, 3, w.metric("saas_security_events_delivered"))
		require.Zero(t, w.metric("saas_security_spool_unreadable"))
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

// The file that is the receiver's own, and not the spool's, was removed. The spool's files prove that it is no first start.
func TestLossOfTheReceiversOwnFileIsAnnounced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(300)
		time.Sleep(3 * time.Hour)
		for _, key := range w.disk.Keys() {
			if strings.HasPrefix(key, "/") {
				require.NoError(t, w.disk.Client().Delete(t.Context(), key))
			}
		}
		w.sim.AddRules(apiDown)
		w.runFor(time.Second) // announces nothing yet, and must not forget it
		w.sim.ClearRules()
		l := w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 300, w.sink.events(), "what is in the spool is delivered")
		require.Contains(t, strings.Join(w.messages(zapcore.ErrorLevel), "\n"), "The receiver's own file in the storage is gone")
		require.Equal(t, maxReaders, w.metric("saas_security_reads_unknown_outcome", "reason", "unclean_stop"))
		require.Positive(t, w.metric("saas_security_gap"), "the length is not known, but an alert must show it")
		require.Contains(t, l.host.troubles(), "gap: some events may have expired unread")
		gaps := w.sink.gaps()
		require.Len(t, gaps, 1)
		require.Equal(t, "unknown", gaps[0]["saas_security.gap.reason"])
		l.stop(t)
		w.runFor(time.Minute)
		require.Len(t, w.sink.gaps(), 1)
		require.Equal(t, maxReaders, w.metric("saas_security_reads_unknown_outcome", "reason", "unclean_stop"))
	})
}

func TestLossOfTheReceiversOwnFileIsInTheStatus(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.runFor(time.Minute) // nothing was ever read
		require.NoError(t, w.disk.Client().Delete(t.Context(), "/spool"))
		require.NoError(t, w.disk.Client().Delete(t.Context(), "/reading"))
		l := w.mustStart()
		require.Equal(t, 1, w.metric("saas_security_spool_lost"))
		require.Contains(t, l.host.troubles(), "lost: a part of the spool is gone")
		l.stop(t)
	})
}
