// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/metadata"
)

// rig is a receiver over real sockets and the real file_storage with fsync.
type rig struct {
	b        *testing.B
	sim      *saassecurity.Simulator
	receiver *auditReceiver
}

func newRig(b *testing.B, options saassecurity.Options, next func(context.Context) error, configure ...func(*Config)) *rig {
	b.Helper()
	r := &rig{b: b, sim: saassecurity.New(options)}
	b.Cleanup(r.sim.Close)
	endpoint, err := r.sim.Start(b.Context(), "127.0.0.1:0")
	require.NoError(b, err)

	factory := filestorage.NewFactory()
	files := factory.CreateDefaultConfig().(*filestorage.Config)
	files.Directory, files.FSync = b.TempDir(), true
	ext, err := factory.Create(b.Context(), extensiontest.NewNopSettings(factory.Type()), files)
	require.NoError(b, err)

	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = endpoint
	cfg.ClientID, cfg.ClientSecret = saassecurity.DefaultClientID, saassecurity.DefaultClientSecret
	cfg.StorageID = &storageID
	cfg.PollInterval = time.Millisecond
	for _, c := range configure {
		c(cfg)
	}
	sink := &countingSink{Consumer: consumertest.NewNop(), next: next}
	r.receiver, err = newAuditReceiver(receivertest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(b, err)
	h := &host{extensions: map[component.ID]component.Component{storageID: ext}}
	require.NoError(b, r.receiver.Start(b.Context(), h))
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.receiver.Shutdown(ctx)
	})
	return r
}

// drain waits until everything was read and delivered.
func (r *rig) drain() {
	for r.sim.Ledger().Queued > 0 || r.receiver.engine().open.Load() > 0 || r.receiver.engine().spool.Stats().Entries > 0 {
		time.Sleep(time.Millisecond)
	}
}

// BenchmarkSpoolPath reads, commits, parses, delivers and deletes, with a server that takes 50 ms for a reply.
func BenchmarkSpoolPath(b *testing.B) {
	const events = 20_000
	for _, key := range []string{"plain", "encrypted"} {
		b.Run(key, func(b *testing.B) {
			r := newRig(b, saassecurity.Options{Latency: 50 * time.Millisecond}, accept, func(cfg *Config) {
				if key == "encrypted" {
					cfg.Spool.EncryptionKeyFile = b.TempDir() + "/key"
					require.NoError(b, os.WriteFile(cfg.Spool.EncryptionKeyFile, []byte(strings.Repeat("ab", 32)), 0o600))
				}
			})
			total := 0
			b.ResetTimer()
			for b.Loop() {
				r.sim.Enqueue(events)
				r.drain()
				total += events
			}
			rate := float64(total) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "events/s")
			if rate < 5000 {
				b.Errorf("%.0f events/s are below the bar of 5000", rate)
			}
		})
	}
}

// BenchmarkDrain compares ten readers with one, at 100 ms a reply.
func BenchmarkDrain(b *testing.B) {
	rate := func(b *testing.B, readers, events int) float64 {
		b.Helper()
		r := newRig(b, saassecurity.Options{Latency: 100 * time.Millisecond}, accept, func(cfg *Config) { cfg.MaxReaders = readers })
		start := time.Now()
		r.sim.Enqueue(events)
		r.drain()
		return float64(events) / time.Since(start).Seconds()
	}
	var one, ten float64
	for b.Loop() {
		one, ten = rate(b, 1, 3000), rate(b, 10, 90_000)
	}
	b.ReportMetric(ten, "events/s")
	b.ReportMetric(ten/one, "x-one-reader")
	if ten < 8*one {
		b.Errorf("ten readers are %.1f times as fast as one; the bar is 8", ten/one)
	}
}

// BenchmarkMemoryOfAFullSpool fills a spool of 1 GiB while the next consumer is down.
func BenchmarkMemoryOfAFullSpool(b *testing.B) {
	for b.Loop() {
		r := newRig(b, saassecurity.Options{Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Oversize: 256 << 10}}}},
			func(context.Context) error { return errDown })
		before := peakMemory(b)
		for spool := r.receiver.engine().spool; spool.Stats().Bytes < 1000<<20; time.Sleep(10 * time.Millisecond) {
			if r.sim.Ledger().Queued == 0 {
				r.sim.Enqueue(10_000)
			}
		}
		b.ReportMetric(peakMemory(b)-before, "peak-RSS-growth-MB")
		b.ReportMetric(peakMemory(b), "peak-RSS-MB")
		if peakMemory(b) > 150 {
			b.Error("the bar is 150 MB, simulator included")
		}
	}
}

// peakMemory is the largest resident set of this process, simulator included, in MB.
func peakMemory(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	for line := range strings.Lines(string(status)) {
		var kB float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kB); err == nil {
			return kB / 1000
		}
	}
	b.Fatal("no VmHWM")
	return 0
}

type countingSink struct {
	consumertest.Consumer
	next func(context.Context) error
}

func accept(context.Context) error { return nil }

func (s *countingSink) ConsumeLogs(ctx context.Context, _ plog.Logs) error { return s.next(ctx) }

// BenchmarkMemoryOfLargeReplies reads a backlog of replies near the largest size, with as many readers as there may be.
func BenchmarkMemoryOfLargeReplies(b *testing.B) {
	for b.Loop() {
		r := newRig(b, saassecurity.Options{
			Latency: 500 * time.Millisecond, Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Oversize: 15 << 20}}},
		}, accept)
		r.sim.Enqueue(4000)
		r.drain()
		b.ReportMetric(peakMemory(b), "peak-RSS-MB")
	}
}
