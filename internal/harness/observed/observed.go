// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package observed is what can be seen of a component from outside, for tests.
package observed

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

// Records are all log records, whatever they are under.
func Records(logs plog.Logs) []plog.LogRecord {
	var all []plog.LogRecord
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				all = append(all, record)
			}
		}
	}
	return all
}

// Messages are the log lines at or above level with their errors, in the order of the alphabet and without repetition.
func Messages(logs *observer.ObservedLogs, level zapcore.Level) []string {
	seen := map[string]struct{}{}
	for _, entry := range logs.All() {
		if entry.Level < level {
			continue
		}
		message := entry.Message
		if err, ok := entry.ContextMap()["error"]; ok {
			message += fmt.Sprint(": ", err)
		}
		seen[message] = struct{}{}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Places are where others may look for secrets, each with its whole content: the log, the storage, the metrics and the spans.
func Places(tb testing.TB, logs *observer.ObservedLogs, disk *crashtest.Disk, telemetry *componenttest.Telemetry) map[string]string {
	tb.Helper()
	places := map[string]string{}
	encoder := zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig())
	for _, line := range logs.All() {
		text, err := encoder.EncodeEntry(line.Entry, line.Context)
		require.NoError(tb, err)
		places["log"] += text.String() + fmt.Sprintf("%+v", line.Context)
	}
	for _, key := range disk.Keys() {
		places["storage"] += key + "\n" + string(disk.Value(key)) + "\n"
	}
	var metrics metricdata.ResourceMetrics
	require.NoError(tb, telemetry.Reader.Collect(tb.Context(), &metrics))
	raw, err := json.Marshal(metrics)
	require.NoError(tb, err)
	places["metrics"] = string(raw)
	for _, span := range telemetry.SpanRecorder.Ended() {
		places["spans"] += fmt.Sprintln(span.Name(), span.Status(), span.Attributes(), span.Events(), span.Links())
	}
	return places
}
