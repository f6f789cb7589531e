// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	servicetelemetry "go.opentelemetry.io/collector/service/telemetry"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

const partialReload = "service.partialReload"

// A Collector whose configuration changes restarts the receiver alone, or everything, within one process; and a new
// Collector takes over from an old one. Each event arrives once.
func TestACollectorReloadsAndRestartsWithoutLossOrRepeats(t *testing.T) {
	t.Parallel()
	gates := featuregate.GlobalRegistry()
	require.NoError(t, gates.Set(partialReload, true))
	t.Cleanup(func() { require.NoError(t, gates.Set(partialReload, false)) })
	w := realWorld(t, sapbtp.StartOptions{})
	now := time.Now()
	w.sim.Generate(w.sub.Tenant, 8000, now.Add(-5*time.Hour), now)
	w.sim.Generate(w.sub.Tenant, 500, now, now.Add(time.Second))
	config := &changingConfig{}
	dir := t.TempDir()
	change := func(rate, generation int) { config.change(collectorConfig(w.sub, dir, rate, generation)) }

	change(30, 1)
	first := w.runCollector(config)
	w.requireStarts(1)
	change(31, 1) // of the receiver alone
	w.requireStarts(2)
	require.Len(t, w.logs.FilterMessageSnippet("performing partial receiver reload").All(), 1)
	change(31, 2) // of something else
	w.requireStarts(3)
	require.Len(t, w.logs.FilterMessageSnippet("Config updated, restart service").All(), 1)
	first.Shutdown()
	require.Less(t, w.sink.total(), 8000, "there is something left to take over")

	change(1000, 1)
	w.runCollector(config)
	w.requireEventually(func() bool { return w.sink.total() >= 8500 }, "the new Collector reads the rest")
	w.requireExactlyOnce()
	require.Empty(t, w.logs.FilterLevelExact(zapcore.ErrorLevel).All())
}

// requireStarts waits until the receiver was started so many times and has delivered something each time.
func (w *world) requireStarts(n int) {
	w.t.Helper()
	w.requireEventually(func() bool { return w.logs.FilterMessage("Reading the audit log").Len() == n }, "start %d", n)
	before := w.sink.total()
	w.requireEventually(func() bool { return w.sink.total() >= before+600 }, "start %d reads", n)
}

// runCollector runs a Collector with the receiver, file_storage and an exporter into the world's sink.
func (w *world) runCollector(config *changingConfig) *otelcol.Collector {
	w.t.Helper()
	collector, err := otelcol.NewCollector(otelcol.CollectorSettings{
		BuildInfo: component.NewDefaultBuildInfo(),
		Factories: w.factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:              []string{"changing:config"},
			ProviderFactories: []confmap.ProviderFactory{confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return config })},
		}},
		DisableGracefulShutdown: true,
		SkipSettingGRPCLogger:   true,
	})
	require.NoError(w.t, err)
	ended := make(chan error, 1)
	go func() { ended <- collector.Run(context.Background()) }()
	w.t.Cleanup(func() {
		collector.Shutdown()
		require.NoError(w.t, <-ended)
	})
	w.requireEventually(func() bool { return collector.GetState() == otelcol.StateRunning }, "the Collector runs")
	return collector
}

func (w *world) factories() (otelcol.Factories, error) {
	receiverFactory, storageFactory := NewFactory(), filestorage.NewFactory()
	exporterFactory := exporter.NewFactory(component.MustNewType("sink"), func() component.Config { return &sinkConfig{} },
		exporter.WithLogs(func(context.Context, exporter.Settings, component.Config) (exporter.Logs, error) {
			return &sinkExporter{sink: w.sink}, nil
		}, component.StabilityLevelDevelopment))
	return otelcol.Factories{
		Receivers:  map[component.Type]receiver.Factory{receiverFactory.Type(): receiverFactory},
		Extensions: map[component.Type]extension.Factory{storageFactory.Type(): storageFactory},
		Exporters:  map[component.Type]exporter.Factory{exporterFactory.Type(): exporterFactory},
		Telemetry: servicetelemetry.NewFactory(func() component.Config { return &struct{}{} }, servicetelemetry.WithCreateLogger(
			func(context.Context, servicetelemetry.LoggerSettings, component.Config) (*zap.Logger, component.ShutdownFunc, error) {
				return w.logger, nil, nil
			})),
	}, nil
}

// sinkConfig is something to change beside the receiver.
type sinkConfig struct {
	Generation int `mapstructure:"generation"`
}

type sinkExporter struct {
	component.StartFunc
	component.ShutdownFunc
	*sink
}

// changingConfig gives the configuration that was last set, and tells the Collector when that changes.
type changingConfig struct {
	mu      sync.Mutex
	text    string
	watcher confmap.WatcherFunc
}

func (*changingConfig) Scheme() string { return "changing" }

// Shutdown ends the Collector's interest.
func (c *changingConfig) Shutdown(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watcher = nil
	return nil
}

func (c *changingConfig) Retrieve(_ context.Context, _ string, watcher confmap.WatcherFunc) (*confmap.Retrieved, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watcher = watcher
	return confmap.NewRetrievedFromYAML([]byte(c.text))
}

func (c *changingConfig) change(text string) {
	c.mu.Lock()
	c.text = text
	watcher := c.watcher
	c.watcher = nil
	c.mu.Unlock()
	if watcher != nil {
		watcher(&confmap.ChangeEvent{})
	}
}

func collectorConfig(sub sapbtp.Subaccount, dir string, rate, generation int) string {
	return fmt.Sprintf(`
extensions:
  file_storage: {directory: %q, fsync: true}
receivers:
  sap_btp_audit:
    endpoint: %q
    token_url: %q
    client_id: %q
    client_secret: %q
    storage: file_storage
    initial_lookback: 6h
    poll_interval: 50ms
    requests_per_second: %d
exporters:
  sink: {generation: %d}
service:
  extensions: [file_storage]
  pipelines:
    logs: {receivers: [sap_btp_audit], exporters: [sink]}
`, dir, sub.Endpoint, sub.TokenURL, sub.ClientID, strings.ReplaceAll(sub.ClientSecret, "$", "$$"), rate, generation)
}
