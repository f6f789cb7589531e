// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

var observed = time.Date(2026, 2, 11, 9, 0, 0, 0, time.UTC)

// convert maps every event of a reply.
func convert(settings Settings, events []Raw) plog.Logs {
	logs := plog.NewLogs()
	mapper := NewMapper(settings)
	for i, e := range events {
		mapper.Append(logs, e, fmt.Sprintf("batch-%d", i), observed)
	}
	return logs
}

// one maps a single event.
// decoded is all of a reply at once.
func decoded(body []byte) ([]Raw, Problem) { return all(Decode(body, "")) }

func all(r *Reply) (events []Raw, problem Problem) {
	for range r.Len() {
		ev, _ := r.Next()
		events = append(events, ev)
	}
	return events, r.Problem
}

func one(t *testing.T, text string) (plog.LogRecord, Oddities) {
	t.Helper()
	logs := plog.NewLogs()
	odd := NewMapper(Settings{}).Append(logs, Raw(text), "uid", observed)
	require.Equal(t, 1, logs.LogRecordCount())
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), odd
}

// simulated returns events as the API would send them.
func simulated(n int64) []Raw {
	sim := saassecurity.New(saassecurity.Options{Seed: 11})
	sim.Enqueue(int(n))
	events := make([]Raw, 0, n)
	for number := range n {
		events = append(events, Raw(sim.Event(number+1)))
	}
	return events
}

// reply of the usual shape.
func reply(events []Raw) []byte {
	body := []byte(`{"events":[`)
	for i, e := range events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, e...)
	}
	return append(body, `]}`...)
}
