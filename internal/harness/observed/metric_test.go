// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package observed

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

func TestMetricIsTheSumOfThePointsWithTheAttributes(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	meter := telemetry.NewTelemetrySettings().MeterProvider.Meter("meter")
	counter, err := meter.Int64Counter("otelcol_reads")
	require.NoError(t, err)
	gauge, err := meter.Int64Gauge("otelcol_open")
	require.NoError(t, err)
	age, err := meter.Float64Gauge("otelcol_age")
	require.NoError(t, err)
	latency, err := meter.Float64Histogram("otelcol_latency")
	require.NoError(t, err)
	odd, err := meter.Float64Counter("otelcol_odd")
	require.NoError(t, err)
	for i, outcome := range []string{"ok", "ok", "failed"} {
		with := metric.WithAttributes(attribute.String("outcome", outcome), attribute.String("region", []string{"eu", "us", "eu"}[i]))
		counter.Add(t.Context(), 1<<i, with)
		gauge.Record(t.Context(), 1<<i, with)
		age.Record(t.Context(), float64(int(1)<<i)+0.3, with)
		latency.Record(t.Context(), 100, with)
		odd.Add(t.Context(), 1)
	}
	for _, tt := range []struct {
		name string
		with []string
		want int
	}{
		{"reads", nil, 7},
		{"reads", []string{"outcome", "ok"}, 3},
		{"reads", []string{"outcome", "ok", "region", "us"}, 2},
		{"reads", []string{"outcome", "none"}, 0},
		{"open", nil, 7},
		{"open", []string{"outcome", "failed"}, 4},
		{"age", nil, 7},
		{"latency", []string{"outcome", "ok"}, 2},
	} {
		total, known := Metric(telemetry, tt.name, tt.with...)
		require.True(t, known)
		require.Equal(t, tt.want, total, "%s %s", tt.name, tt.with)
	}
	_, known := Metric(telemetry, "writes")
	require.False(t, known)
	require.Panics(t, func() { Metric(telemetry, "odd") })
}
