// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
)

// sink is the next consumer: it keeps what it accepted, and accepts what accept lets it.
type sink struct {
	mu     sync.Mutex
	accept func(plog.Logs) error // nil accepts everything
	ids    []string
	at     map[string]time.Time // first arrival by message_uuid
	uids   map[string]int
	events map[string]int // by EventName
	logs   []plog.Logs
	keep   bool
}

func newSink() *sink {
	return &sink{at: map[string]time.Time{}, uids: map[string]int{}, events: map[string]int{}}
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accept != nil {
		if err := s.accept(logs); err != nil {
			return err
		}
	}
	if s.keep {
		s.logs = append(s.logs, logs)
	}
	for _, lr := range observed.Records(logs) {
		s.events[lr.EventName()]++
		uid, _ := lr.Attributes().Get("log.record.uid")
		s.uids[strings.Clone(uid.AsString())]++ // a part of the record would keep its neighbours' memory, too
		if id, ok := lr.Attributes().Get("sap.btp.audit.message_uuid"); ok {
			s.ids = append(s.ids, id.Str())
			if _, again := s.at[id.Str()]; !again {
				s.at[id.Str()] = time.Now()
			}
		}
	}
	return nil
}

func (s *sink) delivered() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

// total is the number of events delivered, repeats included.
func (s *sink) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ids)
}

func (s *sink) count(event string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events[event]
}

// gaps are the records of holes in the trail, of what is kept.
func (s *sink) gaps() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gaps []map[string]any
	for _, logs := range s.logs {
		for _, lr := range observed.Records(logs) {
			if lr.EventName() == "sap.btp.audit.gap" {
				gaps = append(gaps, lr.Attributes().AsRaw())
			}
		}
	}
	return gaps
}

func (s *sink) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accept = func(plog.Logs) error { return err }
	if err == nil {
		s.accept = nil
	}
}

// world is a simulated subaccount, a storage and a sink, over which receivers come and go.
type world struct {
	t         *testing.T
	sim       *sapbtp.Simulator
	sub       sapbtp.Subaccount
	disk      *crashtest.Disk
	sink      *sink
	logs      *observer.ObservedLogs
	logger    *zap.Logger
	telemetry *componenttest.Telemetry
	configure func(*Config)
	transport http.RoundTripper
	local     func() time.Time  // the receivers' clock; nil is the test's
	listeners *sapbtp.Listeners // nil without real ones
}

// newWorld makes a world whose receiver polls every minute, with the default sweeps, from a day back.
func newWorld(t *testing.T, options sapbtp.Options, configure ...func(*Config)) *world {
	t.Helper()
	sim := sapbtp.New(options)
	core, logs := observer.New(zapcore.InfoLevel)
	w := &world{
		t: t, sim: sim, sub: sim.Subaccount(0), disk: crashtest.NewDisk(), sink: newSink(), logs: logs, logger: zap.New(core),
		telemetry: componenttest.NewTelemetry(), transport: sim.Transport(),
	}
	w.configure = func(cfg *Config) {
		for _, c := range configure {
			c(cfg)
		}
	}
	t.Cleanup(func() { require.NoError(t, w.telemetry.Shutdown(context.Background())) })
	return w
}

func (w *world) config() *Config {
	cfg := createDefaultConfig().(*Config)
	point(cfg, w.sub)
	cfg.InitialLookback = 24 * time.Hour
	cfg.StorageID = &crashtest.StorageID
	w.configure(cfg)
	return cfg
}

// start runs a receiver on the world's disk.
func (w *world) start(options ...crashtest.Option) (*auditReceiver, *crashtest.Extension, error) {
	w.t.Helper()
	ext := crashtest.NewExtension(w.disk, options...)
	r, err := w.startOn(crashtest.NewHost(ext))
	return r, ext, err
}

// startOn runs a receiver in a host.
func (w *world) startOn(host component.Host) (*auditReceiver, error) {
	w.t.Helper()
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type) // NewNopSettings makes a new name each time, and so a new storage
	set.TelemetrySettings = w.telemetry.NewTelemetrySettings()
	set.Logger = w.logger
	cfg := w.config()
	require.NoError(w.t, cfg.Validate())
	r, err := newAuditReceiver(set, cfg, w.sink)
	require.NoError(w.t, err)
	r.transport, r.local = w.transport, w.local
	w.t.Cleanup(func() { _ = r.Shutdown(context.Background()) })
	err = r.Start(w.t.Context(), host)
	return r, err
}

// runFor runs a receiver for a time and stops it cleanly.
func (w *world) runFor(d time.Duration) {
	w.t.Helper()
	r, _, err := w.start()
	require.NoError(w.t, err)
	time.Sleep(d)
	require.NoError(w.t, r.Shutdown(w.t.Context()))
}

// requireComplete checks the sink against the ledger: everything is there, nothing is invented.
func (w *world) requireComplete(filters ...sapbtp.Filter) {
	w.t.Helper()
	ids := w.sink.delivered()
	missing := len(w.sim.Ledger().Missing(ids, filters...))
	require.Zero(w.t, missing, "missing of %d; log: %q", w.sim.Ledger().Count(filters...), w.messages(zapcore.InfoLevel))
	unexpected := len(w.sim.Ledger().Unexpected(ids))
	require.Zero(w.t, unexpected, "delivered and not in the ledger")
}

// requireExactlyOnce checks the sink against the ledger: what was visible some time ago is there once, nothing is invented.
func (w *world) requireExactlyOnce(filters ...sapbtp.Filter) {
	w.t.Helper()
	w.requireComplete(filters...)
	w.requireNoDuplicates(0)
}

// requireNoDuplicates allows at most so many surplus deliveries.
func (w *world) requireNoDuplicates(allowed int) {
	w.t.Helper()
	surplus := 0
	for _, n := range w.sim.Ledger().Duplicates(w.sink.delivered()) {
		surplus += n
	}
	require.LessOrEqual(w.t, surplus, allowed, "surplus deliveries")
	if allowed == 0 {
		w.requireUniqueUIDs()
	}
}

func (w *world) requireUniqueUIDs() {
	w.t.Helper()
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	for uid, n := range w.sink.uids {
		require.Equal(w.t, 1, n, "log.record.uid %s", uid)
	}
}

// messages are the log lines at or above level, without repetition.
func (w *world) messages(level zapcore.Level) []string { return observed.Messages(w.logs, level) }

var errDown = errors.New("backend is down")

// bubble runs the test with virtual time, beside others.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	t.Parallel()
	virtually(t, f)
}

// virtually is bubble for a test that is one of several in t.
func virtually(t *testing.T, f func(*testing.T)) {
	t.Helper()
	virtualtime.Test(t, func(t *testing.T) {
		// Virtual time begins before the API existed.
		time.Sleep(time.Until(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
		f(t)
	})
}

// point makes a configuration read a subaccount with its client secret.
func point(cfg *Config, sub sapbtp.Subaccount) {
	cfg.ClientConfig.Endpoint = sub.Endpoint
	cfg.TokenURL = sub.TokenURL
	cfg.ClientID = sub.ClientID
	cfg.ClientSecret = configopaque.String(sub.ClientSecret)
}
