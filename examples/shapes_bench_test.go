// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// BenchmarkShapes is what the statements cost: processor time of the whole program for all golden records of both receivers, from OTLP to
// OTLP, with and without them.
func BenchmarkShapes(b *testing.B) {
	all := plog.NewLogs()
	for _, logs := range goldenRecords(b) {
		logs.ResourceLogs().MoveAndAppendTo(all.ResourceLogs())
	}
	request := encode(b, all)
	for name, example := range map[string]string{"plain": "", "ocsf": "ocsf", "ecs": "ecs"} {
		b.Run(name, func(b *testing.B) {
			s := newShaper(b, example)
			s.discard = true
			s.send(b, request) // the first one finds everything cold
			before := processorTime(b, s.running.PID())
			for b.Loop() {
				s.send(b, request)
			}
			b.StopTimer()
			used := processorTime(b, s.running.PID()) - before
			b.ReportMetric(float64(used.Microseconds())/float64(b.N*all.LogRecordCount()), "cpu-µs/event")
			s.stop(b)
		})
	}
}

// tick is the unit of /proc/PID/stat on Linux.
const tick = 10 * time.Millisecond

// processorTime is what a process has used so far.
func processorTime(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if os.IsNotExist(err) {
		tb.Skip("only Linux tells the processor time of a running process")
	}
	require.NoError(tb, err)
	_, behindName, found := strings.Cut(string(text), ") ")
	require.True(tb, found)
	fields := strings.Fields(behindName)
	const user, system = 11, 12 // from the state on
	var used time.Duration
	for _, field := range []string{fields[user], fields[system]} {
		ticks, err := strconv.ParseInt(field, 10, 64)
		require.NoError(tb, err)
		used += time.Duration(ticks) * tick
	}
	return used
}
