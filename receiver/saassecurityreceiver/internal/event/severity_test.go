// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestSeverityIsReadAsNumberAndWord(t *testing.T) {
	const none = plog.SeverityNumberUnspecified
	tests := map[string]struct {
		want plog.SeverityNumber
		text string
		attr any
	}{
		`0`:               {plog.SeverityNumberInfo, "", int64(0)},
		`1`:               {plog.SeverityNumberInfo, "", int64(1)},
		`1.0`:             {plog.SeverityNumberInfo, "", int64(1)},
		`2`:               {plog.SeverityNumberInfo2, "", int64(2)},
		`1.5`:             {plog.SeverityNumberInfo2, "", 1.5},
		`3.0`:             {plog.SeverityNumberWarn, "", int64(3)},
		`4`:               {plog.SeverityNumberError, "", int64(4)},
		`4e0`:             {plog.SeverityNumberError, "", int64(4)},
		`5.0`:             {plog.SeverityNumberError2, "", int64(5)},
		`17`:              {plog.SeverityNumberError2, "", int64(17)},
		`1e17`:            {plog.SeverityNumberError2, "", 1e17},
		`"3"`:             {plog.SeverityNumberWarn, "", int64(3)},
		`" 4.0 "`:         {plog.SeverityNumberError, "", int64(4)},
		`"informational"`: {plog.SeverityNumberInfo, "informational", "informational"},
		`"Info"`:          {plog.SeverityNumberInfo, "Info", "Info"},
		`"low"`:           {plog.SeverityNumberInfo2, "low", "low"},
		`"MEDIUM"`:        {plog.SeverityNumberWarn, "MEDIUM", "MEDIUM"},
		`"warning"`:       {plog.SeverityNumberWarn, "warning", "warning"},
		`"High"`:          {plog.SeverityNumberError, "High", "High"},
		`" high\n"`:       {plog.SeverityNumberError, " high\n", " high\n"},
		`"SEVERITY_HIGH"`: {plog.SeverityNumberError, "SEVERITY_HIGH", "SEVERITY_HIGH"},
		`"Severity: low"`: {plog.SeverityNumberInfo2, "Severity: low", "Severity: low"},
		`"Critical"`:      {plog.SeverityNumberError2, "Critical", "Critical"},
		`null`:            {plog.SeverityNumberInfo, "", nil},
		`""`:              {plog.SeverityNumberInfo, "", nil},

		`-1`:          {none, "", int64(-1)},
		`"terrible"`:  {none, "terrible", "terrible"},
		`"not high"`:  {none, "not high", "not high"},
		`"NaN"`:       {none, "NaN", "NaN"},
		`"Infinity"`:  {none, "Infinity", "Infinity"},
		`1e999`:       {none, "", "1e999"},
		`true`:        {none, "", "true"},
		`["high"]`:    {none, "", []any{"high"}},
		`{"level":5}`: {none, "", map[string]any{"level": int64(5)}},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			record, odd := one(t, `{"log_type":"incident","timestamp":"2026-01-01T00:00:00Z","severity":`+text+`}`)
			require.Equal(t, want.want, record.SeverityNumber())
			require.Equal(t, want.text, record.SeverityText())
			require.Equal(t, want.attr, record.Attributes().AsRaw()["saas_security.severity"])
			require.Equal(t, want.want == none, odd == BadSeverity)
		})
	}
	record, _ := one(t, `{"log_type":"admin_audit"}`)
	require.Equal(t, plog.SeverityNumberInfo, record.SeverityNumber())
}

func TestFailureWarnsAtLeast(t *testing.T) {
	for severity, want := range map[string]plog.SeverityNumber{
		`null`: plog.SeverityNumberWarn, `1`: plog.SeverityNumberWarn, `"?"`: plog.SeverityNumberWarn, `5`: plog.SeverityNumberError2,
	} {
		record, _ := one(t, `{"log_type":"activity_monitoring","action":"login_failed","severity":`+severity+`}`)
		require.Equal(t, want, record.SeverityNumber(), severity)
	}
}
