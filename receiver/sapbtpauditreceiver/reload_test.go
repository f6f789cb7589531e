// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/storagetest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// A reload of the Collector stops a receiver and starts one with the same ID at once, in the middle of whatever it does.
func TestReceiversFollowEachOtherAtOnceOnARealFileStorage(t *testing.T) {
	t.Parallel()
	rate := 30.0 // makes the backfill last longer than the first lives
	w := realWorld(t, sapbtp.StartOptions{}, func(c *Config) { c.RequestsPerSecond = rate })
	host := fileStorage(t)
	now := time.Now()
	w.sim.Generate(w.sub.Tenant, 8000, now.Add(-5*time.Hour), now)
	w.sim.Generate(w.sub.Tenant, 500, now, now.Add(time.Second))
	for life := range 6 {
		r, err := w.startOn(host)
		require.NoError(t, err, "life %d", life)
		w.requireEventually(func() bool { return w.sink.total() >= (life+1)*600 }, "life %d reads on", life)
		require.NoError(t, r.Shutdown(t.Context()))
	}
	require.Less(t, w.sink.total(), 8500, "every life was stopped in the middle of something")
	rate = 1000
	_, err := w.startOn(host)
	require.NoError(t, err)
	w.requireEventually(func() bool { return w.sink.total() >= 8500 }, "the last life reads the rest")
	w.requireExactlyOnce()
}

func TestASecondInstanceOnAFileStorageIsRefusedWithAHint(t *testing.T) {
	t.Parallel()
	w := realWorld(t, sapbtp.StartOptions{})
	host := fileStorage(t)
	w.sim.Generate(w.sub.Tenant, 1000, time.Now().Add(-time.Minute), time.Now())
	first, err := w.startOn(host)
	require.NoError(t, err)
	_, err = w.startOn(host)
	require.ErrorContains(t, err, `opening storage "file_storage" for sap_btp_audit`)
	require.ErrorContains(t, err, "is another collector, or another instance of this receiver, using the same storage?")

	w.requireEventually(func() bool { return w.sink.total() >= 1000 }, "the first goes on undisturbed")
	require.NoError(t, first.Shutdown(t.Context()))
	_, err = w.startOn(host)
	require.NoError(t, err)
	w.requireExactlyOnce()
}

func TestAStorageThatIsNotThereFailsTheStart(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		host component.Host
		says string
	}{
		"not running":   {storagetest.NewStorageHost(), "define it under 'extensions'"},
		"not a storage": {storagetest.NewStorageHost().WithExtension(fileStorageID, storagetest.NewNonStorageExtension("x")), "not a storage extension"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := realWorld(t, sapbtp.StartOptions{})
			_, err := w.startOn(tc.host)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

var fileStorageID = component.NewID(component.MustNewType("file_storage"))

// fileStorage is a host with the extension file_storage in a directory of its own, as the examples set it up but for the
// time it waits for its lock.
func fileStorage(tb testing.TB, configure ...func(*filestorage.Config)) component.Host {
	tb.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = tb.TempDir()
	cfg.FSync = true
	cfg.Timeout = 50 * time.Millisecond
	for _, c := range configure {
		c(cfg)
	}
	set := extensiontest.NewNopSettings(factory.Type())
	set.ID = fileStorageID
	ext, err := factory.Create(context.Background(), set, cfg)
	require.NoError(tb, err)
	require.NoError(tb, ext.Start(context.Background(), componenttest.NewNopHost()))
	tb.Cleanup(func() { require.NoError(tb, ext.Shutdown(context.Background())) })
	return storagetest.NewStorageHost().WithExtension(fileStorageID, ext)
}

// realWorld is a world of real listeners and real time, whose receiver polls as fast as it can.
func realWorld(t *testing.T, options sapbtp.StartOptions, configure ...func(*Config)) *world {
	t.Helper()
	w := newWorld(t, sapbtp.Options{Seed: 61}, append([]func(*Config){func(c *Config) {
		c.StorageID = &fileStorageID
		c.InitialLookback = 6 * time.Hour
		c.PollInterval = 50 * time.Millisecond
		c.RequestsPerSecond = 1000
	}}, configure...)...)
	var err error
	w.listeners, err = w.sim.Start(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.listeners.Close()) })
	w.sub, w.transport = w.sim.Subaccount(0), nil
	return w
}

// longWait is how long something may take that takes a fraction of a second on an idle machine.
const longWait = 5 * time.Minute

// requireEventually waits for what real listeners, files and clocks take their time for.
func (w *world) requireEventually(condition func() bool, message string, args ...any) {
	w.t.Helper()
	require.Eventually(w.t, condition, longWait, 10*time.Millisecond, append([]any{message}, args...)...)
}
