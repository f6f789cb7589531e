// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver"
)

// lifeVariable makes this test binary a process that is there to be killed: it holds the life to live.
const lifeVariable = "KILLPOINTS_LIFE"

func TestMain(m *testing.M) {
	text := os.Getenv(lifeVariable)
	if text == "" {
		// Lives wait for the disk and for the next second, mostly, so more of them fit than there are processors.
		if err := flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	if err := live(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// life of a process: one receiver with the real file_storage, and a sink that writes to a file.
type life struct {
	Receiver string         `json:"receiver"`
	Config   map[string]any `json:"config"`  // of the receiver
	Storage  map[string]any `json:"storage"` // of file_storage
	Dir      string         `json:"dir"`
	Kill     *point         `json:"kill,omitempty"`   // where the process kills itself
	Down     bool           `json:"down,omitempty"`   // the sink refuses everything
	Poison   string         `json:"poison,omitempty"` // the sink refuses records with this text for good
	Stay     bool           `json:"stay,omitempty"`   // live until SIGTERM, not only until all is drained
}

func (l *life) path(name string) string { return filepath.Join(l.Dir, name) }

// Metrics of saas_security.
const (
	unknownOutcome = "saas_security_reads_unknown_outcome"
	inSpool        = "saas_security_spool_entries"
)

// stopping is what the log says when the process begins to end in its own way.
const stopping = "stopping"

func live(text string) error {
	var l life
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return err
	}
	if l.Poison != "" {
		delivery.Hasten()
	}
	points := &points{kill: l.Kill}
	logger := newLogger(points)
	telemetry := componenttest.NewTelemetry()
	ext, err := l.openStorage(points, logger)
	if err != nil {
		return err
	}
	recv, err := l.newReceiver(points, logger, telemetry)
	if err != nil {
		return err
	}
	ctx := context.Background()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	err = recv.Start(ctx, crashtest.NewHost(ext))
	if err != nil {
		return err
	}
	l.wait(end, telemetry)
	_ = points.around(finish, func() error { return nil })
	counted := report{Doubt: value(telemetry, unknownOutcome), Left: value(telemetry, inSpool)}
	points.stopping.Store(true)
	logger.Info(stopping)
	err = recv.Shutdown(ctx)
	if err != nil {
		return err
	}
	counted.Unsaved = value(telemetry, unknownOutcome) - counted.Doubt
	counted.Quarantined, err = l.quarantined(ctx, ext.Extension)
	return errors.Join(err, l.write(counted))
}

// newLogger writes to stderr without a buffer, so that a kill takes nothing of it. An error is a point.
func newLogger(points *points) *zap.Logger {
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.Lock(os.Stderr), zapcore.InfoLevel)
	return zap.New(core, zap.Hooks(func(entry zapcore.Entry) error {
		if entry.Level < zapcore.ErrorLevel {
			return nil
		}
		return points.around(alarm, func() error { return nil })
	}))
}

func (l *life) newReceiver(points *points, logger *zap.Logger, telemetry *componenttest.Telemetry) (receiver.Logs, error) {
	factory := saassecurityreceiver.NewFactory()
	if l.Receiver == sap {
		factory = sapbtpauditreceiver.NewFactory()
	}
	cfg := factory.CreateDefaultConfig()
	if err := errors.Join(confmap.NewFromStringMap(l.Config).Unmarshal(cfg), confmap.Validate(cfg)); err != nil {
		return nil, err
	}
	sink, err := newSink(l, points)
	if err != nil {
		return nil, err
	}
	set := receiver.Settings{
		ID: component.NewID(factory.Type()), TelemetrySettings: telemetry.NewTelemetrySettings(), BuildInfo: component.NewDefaultBuildInfo(),
	}
	set.Logger = logger
	return factory.CreateLogs(context.Background(), set, cfg, sink)
}

func (l *life) openStorage(points *points, logger *zap.Logger) (*store, error) {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig()
	settings := confmap.NewFromStringMap(map[string]any{"directory": l.Dir, "fsync": true})
	err := errors.Join(settings.Merge(confmap.NewFromStringMap(l.Storage)), settings.Unmarshal(cfg), confmap.Validate(cfg))
	if err != nil {
		return nil, err
	}
	set := extensiontest.NewNopSettings(factory.Type())
	set.Logger = logger
	ext, err := factory.Create(context.Background(), set, cfg)
	if err != nil {
		return nil, err
	}
	inner, ok := ext.(storage.Extension)
	if !ok {
		return nil, errors.New("file_storage is no storage extension")
	}
	return &store{Extension: inner, points: points}, nil
}

// wait lasts until SIGTERM or, if the life does not stay, until everything is done.
func (l *life) wait(end <-chan os.Signal, telemetry *componenttest.Telemetry) {
	begun := time.Now()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-end:
			return
		case <-look.C:
			if !l.Stay && l.done(telemetry, begun) {
				return
			}
		}
	}
}

// done tells for sap_btp_audit that all before the beginning of the life is read, and for saas_security that the server has
// nothing more, that what it gave is committed and, unless the sink is down, delivered.
func (l *life) done(telemetry *componenttest.Telemetry, begun time.Time) bool {
	if l.Receiver == sap {
		age, known := observed.Metric(telemetry, "sap_btp_audit_unread_age")
		return known && time.Now().Unix()-int64(age) >= begun.Unix()
	}
	if value(telemetry, "saas_security_reads", "outcome", "empty") == 0 || value(telemetry, "saas_security_readers") > 0 {
		return false
	}
	return l.Down || value(telemetry, inSpool) == 0
}
