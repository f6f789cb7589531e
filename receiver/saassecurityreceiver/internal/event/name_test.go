// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEventNames(t *testing.T) {
	tests := map[string]struct {
		name  string
		known bool
	}{
		`"activity_monitoring"`:    {"saas_security.activity_monitoring", true},
		`"incident"`:               {"saas_security.incident", true},
		`"policy_violation"`:       {"saas_security.policy_violation", true},
		`"remediation"`:            {"saas_security.remediation", true},
		`"admin_audit"`:            {"saas_security.admin_audit", true},
		`"ba_incident_event"`:      {"saas_security.ba_incident_event", true},
		`"INCIDENT"`:               {"saas_security.incident", true},
		`" Policy Violation "`:     {"saas_security.policy_violation", true},
		`"adminAudit"`:             {"saas_security.admin_audit", true},
		`"posture"`:                {"saas_security.posture", false},
		`"APP--Access.Event v2"`:   {"saas_security.app_access_event_v2", false},
		`"unknown"`:                {"saas_security.unknown", false},
		`""`:                       {"saas_security.unknown", false},
		`"___"`:                    {"saas_security.unknown", false},
		`"2fa"`:                    {"saas_security.unknown", false},
		`"finding 12345"`:          {"saas_security.unknown", false},
		`"vorfälle"`:               {"saas_security.unknown", false},
		`null`:                     {"saas_security.unknown", false},
		`7`:                        {"saas_security.unknown", false},
		`{"log_type":"incident"}`:  {"saas_security.unknown", false},
		quoted("x", maxTypeLength): {"saas_security." + strings.Repeat("x", maxTypeLength), false},
		quoted("x", maxTypeLength+1): {
			"saas_security.unknown", false,
		},
	}
	for logType, want := range tests {
		t.Run(logType, func(t *testing.T) {
			record, odd := one(t, `{"timestamp":"2026-01-01T00:00:00Z","log_type":`+logType+`}`)
			require.Equal(t, want.name, record.EventName())
			require.Equal(t, want.known, odd&UnknownType == 0)
		})
	}
	record, odd := one(t, `{}`)
	require.Equal(t, "saas_security.unknown", record.EventName())
	require.NotZero(t, odd&UnknownType)
}

func quoted(s string, n int) string { return `"` + strings.Repeat(s, n) + `"` }
