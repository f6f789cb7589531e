// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package observed

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

func TestRecordsOfAllResourcesAndScopesAreFound(t *testing.T) {
	logs := plog.NewLogs()
	want := []string{"a", "b", "c", "d"}
	for i := range 2 {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName(want[2*i])
		resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName(want[2*i+1])
	}
	var got []string
	for _, record := range Records(logs) {
		got = append(got, record.EventName())
	}
	require.Equal(t, want, got)
}

func TestMessagesAreThoseOfTheLevel(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	logger := zap.New(core)
	logger.Info("quiet")
	logger.Warn("strange")
	logger.Warn("strange")
	logger.Error("broken", zap.Error(errors.New("no space")))
	require.Equal(t, []string{"broken: no space", "strange"}, Messages(logs, zapcore.WarnLevel))
}

// Every part of what is looked at is a place in which a secret could be overlooked.
func TestPlacesShowAllThatCanHoldASecret(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	zap.New(core).Debug("log-message", zap.String("log-key", `log-"value"`), zap.Error(errors.New("log-error")))
	disk := crashtest.NewDisk()
	require.NoError(t, disk.Client().Set(t.Context(), "disk-key", []byte("disk-value")))
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	set := telemetry.NewTelemetrySettings()
	counter, err := set.MeterProvider.Meter("meter").Int64Counter("metric-name")
	require.NoError(t, err)
	counter.Add(t.Context(), 1, metric.WithAttributes(attribute.String("metric-key", "metric-value")))
	_, span := set.TracerProvider.Tracer("tracer").Start(t.Context(), "span-name", trace.WithAttributes(attribute.String("span-key", "span-value")))
	span.SetStatus(codes.Error, "span-status")
	span.AddEvent("span-event")
	span.End()

	places := Places(t, logs, disk, telemetry)
	for place, parts := range map[string][]string{
		"log":     {"log-message", "log-key", `log-"value"`, "log-error"},
		"storage": {"disk-key", "disk-value"},
		"metrics": {"metric-name", "metric-key", "metric-value"},
		"spans":   {"span-name", "span-key", "span-value", "span-status", "span-event"},
	} {
		for _, part := range parts {
			require.Contains(t, places[place], part, place)
		}
	}
	require.Len(t, places, 4)
}
