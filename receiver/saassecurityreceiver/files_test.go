// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"os"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// fileStorage is the real extension over a directory.
func fileStorage(t *testing.T, dir string) storage.Extension {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.FSync, cfg.Timeout = dir, true, time.Millisecond
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	return ext.(storage.Extension)
}

func TestReloadWithFileStorage(t *testing.T) {
	w := listening(t, saassecurity.Options{LongPoll: 20 * time.Millisecond})
	ext := fileStorage(t, t.TempDir())
	for round := range 5 {
		w.sim.Enqueue(400)
		if round%2 == 1 {
			w.sink.refuse(errDown)
		} else {
			w.sink.do(nil)
		}
		l := w.prepare()
		l.host.extensions[storageID] = ext
		require.NoError(t, l.Start(t.Context(), l.host), "the instance before has let go of the files")
		second := w.prepare()
		second.host.extensions[storageID] = ext
		require.ErrorContains(t, second.Start(t.Context(), second.host), "another instance of this receiver")
		require.Eventually(t, func() bool { return w.sim.Ledger().Queued == 0 }, patience, time.Millisecond)
		require.NoError(t, l.Shutdown(t.Context()))
	}
	l := w.prepare()
	l.host.extensions[storageID] = ext
	require.NoError(t, l.Start(t.Context(), l.host))
	require.Eventually(t, func() bool { return w.sink.events() == 2000 }, patience, 10*time.Millisecond)
	require.NoError(t, l.Shutdown(t.Context()))
	w.requireDelivered(upTo(2000))
	require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
}

func TestFilesOfTheSpoolArePrivate(t *testing.T) {
	dir := t.TempDir()
	w := listening(t, saassecurity.Options{})
	l := w.prepare()
	l.host.extensions[storageID] = fileStorage(t, dir)
	require.NoError(t, l.Start(t.Context(), l.host))
	require.NoError(t, l.Shutdown(t.Context()))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 2, "the receiver's own and the first segment of the spool")
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}
}
