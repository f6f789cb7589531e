// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
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
