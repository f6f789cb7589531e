// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestEventsReadAsSentences(t *testing.T) {
	record := func(eventName string, severity plog.SeverityNumber, attributes map[string]any, body any) plog.LogRecord {
		r := plog.NewLogRecord()
		r.SetEventName(eventName)
		r.SetSeverityNumber(severity)
		if err := r.Attributes().FromRaw(attributes); err != nil {
			panic(err)
		}
		if err := r.Body().FromRaw(body); err != nil {
			panic(err)
		}
		return r
	}
	const info, warn = plog.SeverityNumberInfo, plog.SeverityNumberWarn
	for name, tc := range map[string]struct {
		record plog.LogRecord
		want   sentence
	}{
		"failed login": {
			record("sap.btp.audit.security_event", warn, map[string]any{
				"user.name": "eve@example.com", "sap.btp.audit.event_type": "UserAuthenticationFailure",
				"sap.btp.audit.origin.remote_address": "203.0.113.9", "sap.btp.audit.detailed_description": "Bad credentials",
			}, nil),
			sentence{event: "security event", user: "eve@example.com", what: "user authentication failure from 203.0.113.9: Bad credentials", bad: true},
		},
		"token": {
			record("sap.btp.audit.security_event", info, map[string]any{
				"user.name": `{"user_name":"bob@example.com","origin":"x"}`, "sap.btp.audit.event_type": "TokenIssuedEvent", "client.address": "192.0.2.1",
			}, nil),
			sentence{event: "security event", user: "bob@example.com", what: "token issued from 192.0.2.1"},
		},
		"refused change": {
			record("sap.btp.audit.configuration_change", warn, map[string]any{
				"user.name": "user/ldap/ivan@example.com", "sap.btp.audit.object.type": "xsrole", "sap.btp.audit.object.id.crudType": "CREATE",
				"sap.btp.audit.object.id.rolecollection_name": "Admins", "sap.btp.audit.success": false,
			}, nil),
			sentence{event: "configuration change", user: "ivan@example.com", what: "create xsrole Admins (refused)", bad: true},
		},
		"data read": {
			record("sap.btp.audit.data_access", info, map[string]any{
				"user.name": "{odd", "sap.btp.audit.object.type": "Sales.Orders", "sap.btp.audit.object.id.ID": "17",
				"sap.btp.audit.attribute.names": []any{"iban", "street"}, "sap.btp.audit.success": true,
			}, nil),
			sentence{event: "data access", user: "{odd", what: "read Sales.Orders 17: iban, street"},
		},
		"data changed": {
			record("sap.btp.audit.data_modification", info, map[string]any{"sap.btp.audit.object.type": "Customers"}, nil),
			sentence{event: "data modification", what: "changed Customers"},
		},
		"an object in another category": {
			record("sap.btp.audit.unknown", info, map[string]any{"sap.btp.audit.object.type": "model"}, nil),
			sentence{event: "unknown", what: "used model"},
		},
		"the audit log's own reading": {
			record("sap.btp.audit.data_access", info, map[string]any{"sap.btp.audit.object.type": "data read event"}, nil),
			sentence{event: "data access", what: "read the audit log"},
		},
		"text": {
			record("sap.btp.audit.security_event", info, nil, map[string]any{"message": map[string]any{"data": "Something\nhappened\x1b[31m"}}),
			sentence{event: "security event", what: "Something happened·[31m"},
		},
		"data of another kind": {
			record("sap.btp.audit.security_event", info, nil, map[string]any{"message": map[string]any{"data": map[string]any{"action": "Create", "x": 1}}}),
			sentence{event: "security event", what: "Create"},
		},
		"a body that is text": {
			record("sap.btp.audit.gap", plog.SeverityNumberError, nil, "Audit events are missing"),
			sentence{event: "gap", what: "Audit events are missing", bad: true},
		},
		"a body of unknown members": {
			record("x", info, nil, map[string]any{"n": 1}),
			sentence{event: "x", what: `{"n":1}`},
		},
		"a file": {
			record("saas_security.incident", info, map[string]any{"user.email": "ann@example.com", "file.name": "plan.xlsx"}, nil),
			sentence{event: "incident", user: "ann@example.com", what: "plan.xlsx"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.source, tc.want.times, tc.want.at = "s", 1, tc.record.Timestamp().AsTime()
			require.Equal(t, tc.want, describe("s", tc.record))
		})
	}
}
