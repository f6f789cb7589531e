// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/metadata"
)

var (
	errDown   = errors.New("backend is down")
	errBroken = errors.New("input/output error")
)

// world is a simulated tenant, a storage and a sink, over which receivers come and go.
type world struct {
	t         *testing.T
	sim       *saassecurity.Simulator
	disk      *crashtest.Disk
	sink      *sink
	logs      *observer.ObservedLogs
	logger    *zap.Logger
	telemetry *componenttest.Telemetry
	configure []func(*Config)
	network   *network
}

func newWorld(t *testing.T, options saassecurity.Options, configure ...func(*Config)) *world {
	t.Helper()
	sim := saassecurity.New(options)
	core, logs := observer.New(zapcore.InfoLevel)
	reads := sim.Transport()
	reads.DisableKeepAlives = true
	w := &world{
		t: t, sim: sim, disk: crashtest.NewDisk(), sink: newSink(), logs: logs, logger: zap.New(core),
		telemetry: componenttest.NewTelemetry(), configure: configure, network: &network{reads: reads, tokens: sim.Transport()},
	}
	t.Cleanup(func() {
		require.NoError(t, w.telemetry.Shutdown(context.Background()))
		sim.Close()
	})
	return w
}

func (w *world) config() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = saassecurity.URL
	cfg.ClientID = saassecurity.DefaultClientID
	cfg.ClientSecret = saassecurity.DefaultClientSecret
	cfg.StorageID = &storageID
	cfg.Body = bodyString // quicker to look into
	for _, c := range w.configure {
		c(cfg)
	}
	return cfg
}

// patience is how long something may take that takes a fraction of a second on an idle machine.
const patience = 5 * time.Minute

// life is a receiver with the storage as it sees it.
type life struct {
	*auditReceiver
	storage *crashtest.NamedExtension
	host    *host
}

// start runs a receiver on the world's disk.
func (w *world) start(options ...crashtest.Option) (*life, error) {
	w.t.Helper()
	l := w.prepare(options...)
	err := l.Start(w.t.Context(), l.host)
	return l, err
}

// prepare makes a receiver that is not started yet.
func (w *world) prepare(options ...crashtest.Option) *life {
	w.t.Helper()
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type) // the same in every life
	set.TelemetrySettings = w.telemetry.NewTelemetrySettings()
	set.Logger = w.logger
	cfg := w.config()
	require.NoError(w.t, cfg.Validate())
	r, err := newAuditReceiver(set, cfg, w.sink)
	require.NoError(w.t, err)
	r.network = w.network
	ext := crashtest.NewNamedExtension(w.disk, options...)
	h := &host{extensions: map[component.ID]component.Component{storageID: ext}}
	w.t.Cleanup(func() { _ = r.Shutdown(context.Background()) })
	return &life{r, ext, h}
}

func (w *world) mustStart(options ...crashtest.Option) *life {
	w.t.Helper()
	l, err := w.start(options...)
	require.NoError(w.t, err)
	return l
}

// stop ends a receiver cleanly and checks that it has let go of the storage.
func (l *life) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, l.Shutdown(t.Context()))
	require.Empty(t, l.storage.Open(), "storage clients are closed before Shutdown returns")
}

// runFor runs a receiver for a time and stops it cleanly.
func (w *world) runFor(d time.Duration) {
	w.t.Helper()
	l := w.mustStart()
	time.Sleep(d)
	l.stop(w.t)
}

// requireDelivered checks that these events, and no others, were delivered, each under one uid, and each uid once.
func (w *world) requireDelivered(numbers []int64) {
	w.t.Helper()
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	require.Equal(w.t, slices.Sorted(slices.Values(numbers)), slices.Sorted(maps.Keys(w.sink.found)), "log: %q", w.messages(zapcore.WarnLevel))
	for n, uids := range w.sink.found {
		require.Len(w.t, uids, 1, "event %d", n)
	}
	for uid, n := range w.sink.uids {
		require.Equal(w.t, 1, n, "log.record.uid %s", uid)
	}
}

// requireAccounted checks the books: every event that the server wrote whole was delivered, everything else that it took off
// its queue belongs to a read that is counted as of unknown outcome (or was spoiled by the server itself), and the server has
// seen exactly the reads that the client counted.
func (w *world) requireAccounted() {
	w.t.Helper()
	if w.network != nil {
		synctest.Wait() // what happens at this moment has happened
	}
	l := w.sim.Ledger()
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	doubtful := 0
	for _, read := range l.Reads {
		for _, n := range read.Sent {
			require.NotEmpty(w.t, w.sink.found[n], "read %d (%s) was answered with event %d", read.ID, read.Fault, n)
		}
		missing := 0
		for _, n := range read.Dequeued {
			if len(w.sink.found[n]) == 0 {
				missing++
			}
			require.LessOrEqual(w.t, len(w.sink.found[n]), 1, "event %d has several uids", n)
		}
		if missing > 0 && read.Outcome != saassecurity.OutcomeSpoiled {
			require.Equal(w.t, saassecurity.OutcomeBroken, read.Outcome, "read %d lost %d events", read.ID, missing)
			doubtful++
		}
	}
	require.LessOrEqual(w.t, doubtful, w.metric("saas_security_reads_unknown_outcome"))
	ended := len(l.Reads) - l.Outcomes()[saassecurity.OutcomeOpen]
	require.Equal(w.t, ended, w.metric("saas_security_reads"), "reads that the server saw, and that the client counted")
	for n := range w.sink.found {
		require.LessOrEqual(w.t, n, int64(l.Enqueued), "invented")
	}
	for uid, n := range w.sink.uids {
		require.Equal(w.t, 1, n, "log.record.uid %s", uid)
	}
}

// upTo are the numbers of the first n events.
func upTo(n int) []int64 {
	numbers := make([]int64, n)
	for i := range numbers {
		numbers[i] = int64(i + 1)
	}
	return numbers
}

// messages are the log lines at or above level, without repetition.
func (w *world) messages(level zapcore.Level) []string { return observed.Messages(w.logs, level) }

// metric is the sum of a metric's points that have all of these attributes, 0 if nothing was counted yet.
func (w *world) metric(name string, attributes ...string) int {
	total, _ := observed.Metric(w.telemetry, name, attributes...)
	return total
}

// bubble runs the test with virtual time.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	virtualtime.Test(t, f)
}
