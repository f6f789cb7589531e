// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

// fill lets the spool take in events that are not delivered, and leaves them there.
func (w *world) fill(events int) {
	w.t.Helper()
	w.sink.refuse(errDown)
	w.sim.Enqueue(events)
	w.runFor(10 * time.Second)
	require.Zero(w.t, w.sim.Ledger().Queued)
	w.sink.do(nil)
}

func (w *world) entryKeys() []string {
	w.t.Helper()
	var keys []string
	for _, key := range w.disk.Keys() {
		if strings.HasPrefix(key, "spool_0/e") {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestSpoolIsReplayedAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: time.Second})
		w.fill(500)
		w.sim.Enqueue(200)
		l := w.mustStart()
		require.Contains(t, w.messages(zapcore.InfoLevel), "Reading log events")
		time.Sleep(500 * time.Millisecond)
		require.Equal(t, 500, w.sink.events(), "before the first read is answered")
		require.Len(t, w.sim.Ledger().Reads, len(w.sim.Ledger().Reads))
		time.Sleep(10 * time.Second)
		w.requireDelivered(upTo(700))
		l.stop(t)
	})
}

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

func TestStorageThatCannotBeUsedFailsTheStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(200)
		newer, err := durable.Seal(99, map[string]int{})
		require.NoError(t, err)
		before := w.disk.Keys()
		for key, want := range map[string]string{
			"/spool": "spool", "/reading": "reading", "/quarantine/index": "quarantine", "spool_0/head": "spool",
			w.entryKeys()[1]: "spool",
		} {
			l := w.prepare(crashtest.FailGet(key, -1, errBroken))
			err := l.Start(t.Context(), l.host)
			require.ErrorIs(t, err, errBroken, key)
			require.ErrorContains(t, err, want)
			require.Empty(t, l.storage.Open(), "a failed start lets go of the storage")
		}
		for _, key := range []string{"/spool", "/reading", "spool_0/head"} {
			kept := w.disk.Value(key)
			require.NoError(t, w.disk.Client().Set(t.Context(), key, newer))
			_, err := w.start()
			require.ErrorIs(t, err, durable.ErrNewerVersion, key)
			require.NoError(t, w.disk.Client().Set(t.Context(), key, kept))
		}
		require.Equal(t, before, w.disk.Keys())
		w.runFor(time.Second)
		w.requireDelivered(upTo(200))
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

func TestMissingStorageExtensionFailsTheStart(t *testing.T) {
	w := newWorld(t, saassecurity.Options{})
	l := w.prepare()
	delete(l.host.extensions, storageID)
	require.ErrorContains(t, l.Start(t.Context(), l.host), `storage extension "file_storage" is not running`)
}

func TestSpoolIsEncryptedWithTheKeysOfTheFile(t *testing.T) {
	one, two := strings.Repeat("11", 32), strings.Repeat("22", 32)
	path := filepath.Join(t.TempDir(), "keys")
	keys := func(lines ...string) {
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	}
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.Spool.EncryptionKeyFile = path })
		_, err := w.start()
		require.ErrorContains(t, err, "spool::encryption_key_file: open "+path)
		keys("not a key")
		_, err = w.start()
		require.ErrorContains(t, err, "spool::encryption_key_file "+path+": line 1 is not a key")

		keys(one)
		w.fill(200)
		for _, key := range w.entryKeys() {
			require.NotContains(t, string(w.disk.Value(key)), "log_type")
		}
		keys(two)
		_, err = w.start()
		require.ErrorContains(t, err, "opening the spool: the spool holds entries sealed with the key ")
		require.Zero(t, w.sink.events())
		keys(two, one)
		w.runFor(time.Second)
		w.requireDelivered(upTo(200))
		keys(two)
		w.runFor(time.Second)
	})
}

// A full disk stops reading; what was read already waits in memory for the space that delivery makes.
func TestFullDiskStopsReadingAndLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 100 * time.Millisecond})
		w.sink.refuse(errDown)
		w.sim.Enqueue(5000)
		l := w.mustStart(crashtest.MaxBytes(500_000)) // some seven replies
		time.Sleep(5 * time.Minute)
		require.Contains(t, l.host.troubles(), "storage: the storage does not take what was read; reading waits until it works")
		reads := len(w.sim.Ledger().Reads)
		require.Less(t, reads, 30)
		require.Positive(t, w.sim.Ledger().Queued)
		time.Sleep(5 * time.Minute)
		require.Len(t, w.sim.Ledger().Reads, reads)
		w.sink.do(nil)
		time.Sleep(3 * time.Minute)
		w.requireDelivered(upTo(5000))
		require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

func TestReadingWaitsForAReplyThatTheDiskDoesNotTake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{
			Latency: 100 * time.Millisecond, // the second of the replies is too large
			Rules:   []saassecurity.Rule{{Skip: 1, Times: 1, Fault: saassecurity.Fault{Oversize: 1 << 20}}},
		})
		w.sim.Enqueue(2000)
		l := w.mustStart(crashtest.MaxBytes(500_000))
		time.Sleep(5 * time.Minute)
		require.Less(t, len(w.sim.Ledger().Reads), 8, "others would have had room")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, l.Shutdown(ctx))
		require.Equal(t, 1, w.metric("saas_security_reads_unknown_outcome", "reason", "not_stored"))
	})
}

func TestWhatTheDiskDoesNotTakeUntilTheEndIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.sim.Enqueue(100)
		l := w.mustStart(crashtest.MaxBytes(2000))
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		require.Error(t, l.Shutdown(ctx))
		require.Equal(t, 1, w.metric("saas_security_reads_unknown_outcome", "reason", "not_stored"))
		require.Contains(t, strings.Join(w.messages(zapcore.ErrorLevel), "\n"), "What was read could not be stored before the end: its events are lost")
	})
}

func TestDeletionThatFailsIsRepeated(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.sim.Enqueue(300)
		l := w.mustStart(crashtest.FailDelete("", 10, errBroken))
		time.Sleep(2 * time.Minute)
		w.requireDelivered(upTo(300))
		require.Zero(t, w.metric("saas_security_spool_entries"))
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

func TestReadErrorOfTheStorageDropsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		l := w.mustStart(crashtest.FailGet("spool_0/e0000000000000001", 5, errBroken))
		w.sim.Enqueue(300)
		time.Sleep(5 * time.Minute)
		w.requireDelivered(upTo(300))
		require.Empty(t, l.host.troubles())
		require.Contains(t, strings.Join(w.messages(zapcore.ErrorLevel), "\n"), "The spool cannot be read; delivery waits until the storage works")
		l.stop(t)
	})
}
