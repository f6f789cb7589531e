// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// BenchmarkReply decodes and maps full replies, beside what encoding/json needs
// to make Go maps of them.
func BenchmarkReply(b *testing.B) {
	const n = 100
	body := reply(simulated(n))
	perEvent := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/event")
	}
	mapper := NewMapper(Settings{})
	convert := func(events []Raw) plog.Logs {
		logs := plog.NewLogs()
		for _, e := range events {
			mapper.Append(logs, e, "01JKV3N8E2W6Q4ZT9YB5XR7C0D-42", observed)
		}
		return logs
	}
	b.Run("decode and map", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			events, _ := decoded(body)
			logs := convert(events)
			require.Equal(b, n, logs.LogRecordCount())
		}
		perEvent(b)
	})
	b.Run("decode what is cut and map", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			events, _ := decoded(body[:len(body)-1])
			logs := convert(events)
			require.Equal(b, n, logs.LogRecordCount())
		}
		perEvent(b)
	})
	b.Run("encoding json to maps", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var reply map[string]any
			require.NoError(b, json.Unmarshal(body, &reply))
		}
		perEvent(b)
	})
}
