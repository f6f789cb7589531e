// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

func TestAStartIsOneLineAndADayOfTrafficIsNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		begin := time.Now()
		w.runFor(day)
		require.Greater(t, w.sink.total(), 3900)
		lines := w.logs.All()
		require.Len(t, lines, 1, "%q", w.messages(zapcore.InfoLevel))
		require.Equal(t, zapcore.InfoLevel, lines[0].Level)
		require.Equal(t, "Reading the audit log", lines[0].Message)
		fields := lines[0].ContextMap()
		require.Equal(t, keyOf(w, ""), fields["subaccount"])
		require.Equal(t, w.sub.Endpoint, fields["endpoint"])
		require.WithinDuration(t, begin, fields["from"].(time.Time), time.Second)
		require.InDelta(t, 8.0, fields["requests_per_second"], 0, "what SAP documents for eu10")
	})
}

// The estimates of a backfill are good enough to decide by whether to wait.
func TestABackfillLogsItsMilestonesAndHowLongItWillTake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 91}, func(c *Config) {
			c.InitialLookback = 30 * day
			c.MaxEventsPerPoll = 1000
		})
		w.sim.Generate(w.sub.Tenant, 20_000, time.Now().Add(-30*day), time.Now())
		w.runFor(time.Hour)
		w.requireExactlyOnce()

		lines := w.logs.FilterMessageSnippet("the audit log").All()
		require.Len(t, lines, w.logs.Len(), "nothing else is worth a line: %q", w.messages(zapcore.InfoLevel))
		require.Equal(t, "Reading the audit log", lines[0].Message)
		begin, milestones, end := lines[1], lines[2:len(lines)-1], lines[len(lines)-1]
		require.Equal(t, "Catching up with the audit log", begin.Message)
		require.Greater(t, duration(t, begin, "behind"), 29*day)
		require.Equal(t, "Caught up with the audit log", end.Message)
		took := duration(t, end, "took")
		require.InDelta(t, end.Time.Sub(begin.Time), took, float64(time.Second))
		require.Greater(t, took, 4*time.Second, "forty pages at eight a second")

		require.GreaterOrEqual(t, len(milestones), 5)
		require.LessOrEqual(t, len(milestones), 9, "a tenth each")
		percent := int64(0)
		for _, line := range milestones {
			require.Equal(t, begin.Message, line.Message)
			fields := line.ContextMap()
			require.Greater(t, fields["percent"], percent)
			percent = fields["percent"].(int64)
			require.Zero(t, percent%10)
			require.InDelta(t, float64(30*day)*float64(100-percent)/100, duration(t, line, "behind"), 0.12*float64(30*day))
			require.InDelta(t, end.Time.Sub(line.Time), duration(t, line, "left"), float64(took)/2+float64(time.Second), "at %d%%", percent)
		}
	})
}

// duration is a field of a log line that people can read, unlike a bare number.
func duration(t *testing.T, line observer.LoggedEntry, field string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(line.ContextMap()[field].(string))
	require.NoError(t, err)
	return d
}

// What goes wrong for hours is told when it begins, when it changes and when it ends, not at each try.
func TestAnOutageOfHoursIsAHandfulOfLines(t *testing.T) {
	for name, rule := range map[string]sapbtp.Rule{
		"API":     {Match: sapbtp.Match{Kind: sapbtp.KindRecords}, Fault: sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 500}},
		"tokens":  {Match: sapbtp.Match{Kind: sapbtp.KindToken}, Fault: sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: 401}},
		"network": {Fault: sapbtp.Fault{Kind: sapbtp.FaultReset}},
		"records": {Match: sapbtp.Match{Kind: sapbtp.KindRecords}, Fault: sapbtp.Fault{Kind: sapbtp.FaultGarbage}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := traffic(t)
				require.NoError(t, w.sim.Script(rule))
				w.sim.RevokeTokens(w.sub.Tenant)
				w.runFor(6 * time.Hour)
				// The trouble of single answers is told at most every ten minutes for each kind.
				require.LessOrEqual(t, w.logs.Len(), 25+6*6, "%q", w.messages(zapcore.InfoLevel))
				require.LessOrEqual(t, w.logs.FilterLevelExact(zapcore.WarnLevel).Len(), 25, "%q", w.messages(zapcore.WarnLevel))
			})
		})
	}
}
