// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

func TestBehaviourThreatsHappenAtTheirDate(t *testing.T) {
	const published = `"timestamp":"2026-01-02T10:00:00Z"`
	at := func(text string) string {
		record, _ := one(t, text)
		return record.Timestamp().AsTime().Format(time.DateTime)
	}
	require.Equal(t, "2026-01-02 08:00:00", at(`{"log_type":"ba_incident_event","date":"2026-01-02 08:00:00",`+published+`}`))
	require.Equal(t, "2026-01-02 10:00:00", at(`{"log_type":"ba_incident_event","date":"?",`+published+`}`))
	require.Equal(t, "2026-01-02 10:00:00", at(`{"log_type":"incident","date":"2026-01-02 08:00:00",`+published+`}`))
	require.Equal(t, "2026-02-11 09:00:00", at(`{"log_type":"ba_incident_event"}`))
}

func TestCommonAttributes(t *testing.T) {
	tests := map[string]struct {
		event string
		want  map[string]any // without log.record.uid, audit.* and saas_security.*
	}{
		"e-mail":            {`{"user":"a@example.org"}`, map[string]any{"user.email": "a@example.org"}},
		"name":              {`{"user":"Ana"}`, map[string]any{"user.name": "Ana"}},
		"administrator":     {`{"admin_id":"root@example.org","ip":"192.0.2.1"}`, map[string]any{"user.email": "root@example.org", "client.address": "192.0.2.1"}},
		"behaviour":         {`{"user_email":"a@example.org"}`, map[string]any{"user.email": "a@example.org"}},
		"user comes first":  {`{"user_email":"b@example.org","admin_id":"c","user":"a@example.org"}`, map[string]any{"user.email": "a@example.org"}},
		"user is not text":  {`{"user":{"name":"Ana"}}`, map[string]any{}},
		"owner is no actor": {`{"item_owner":"Ana","item_owner_email":"a@example.org"}`, map[string]any{}},
		"source":            {`{"source_ip":"2001:DB8::1"}`, map[string]any{"source.address": "2001:DB8::1", "client.address": "2001:db8::1"}},
		"nobody":            {`{"user":"Possible External Application Or Not Logged In User"}`, map[string]any{}},
		"nobody, but admin": {`{"user":"Unknown","admin_id":"root@example.org"}`, map[string]any{"user.email": "root@example.org"}},
		"file":              {`{"item_type":"fIlE","item_name":"a.txt"}`, map[string]any{"file.name": "a.txt"}},
		"folder":            {`{"item_type":"Folder","item_name":"a"}`, map[string]any{}},
		"file without name": {`{"item_type":"file","item_name":null}`, map[string]any{}},
		"rule":              {`{"policy_rule_name":"PCI, GDPR"}`, map[string]any{"security_rule.name": "PCI, GDPR"}},
		"nothing said":      {`{"user":null,"source_ip":null,"ip":"","policy_rule_name":""}`, map[string]any{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			record, _ := one(t, tt.event)
			got := map[string]any{}
			for k, v := range record.Attributes().AsRaw() {
				if !strings.HasPrefix(k, "saas_security.") && !strings.HasPrefix(k, "audit.") && k != "log.record.uid" {
					got[k] = v
				}
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestFieldAttributes(t *testing.T) {
	for _, name := range fieldNames {
		if name == "severity" || name == "occurrences_by_rule" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for value, want := range map[string]any{
				`"x"`: "x", `12.50`: "12.50", `true`: "true", `["a",1]`: []any{"a", int64(1)},
				`null`: nil, `""`: nil, `[]`: nil, `{}`: nil,
			} {
				record, odd := one(t, `{"`+name+`":`+value+`}`)
				require.Equal(t, want, record.Attributes().AsRaw()["saas_security."+name], value)
				require.Zero(t, odd&UnknownFields)
			}
		})
	}
}

func TestUnknownFieldsStayInTheBody(t *testing.T) {
	record, odd := one(t, `{"log_type":"incident","timestamp":"2026-01-01T00:00:00Z","risk":{"score":9007199254740993,"why":[null,"x"]}}`)
	require.Equal(t, UnknownFields, odd)
	require.Equal(t, map[string]any{"score": int64(9007199254740993), "why": []any{nil, "x"}}, record.Body().Map().AsRaw()["risk"])
	require.NotContains(t, record.Attributes().AsRaw(), "saas_security.risk")
}

func TestLastOfTwoFieldsCounts(t *testing.T) {
	record, _ := one(t, `{"log_type":"incident","user":"a","severity":5,"user":"b","severity":null}`)
	require.Equal(t, "b", record.Attributes().AsRaw()["user.name"])
	require.Equal(t, "b", record.Attributes().AsRaw()["saas_security.user"])
	require.Equal(t, plog.SeverityNumberInfo, record.SeverityNumber())
}

func TestTextThatIsNoJSONIsKept(t *testing.T) {
	record, odd := one(t, `{"log_type":`)
	require.Equal(t, `{"log_type":`, record.Body().Str())
	require.Equal(t, UnknownType|NoTimestamp, odd)
}

func TestBodies(t *testing.T) {
	const text = `{ "log_type":"incident", "item_name":"a" }`
	record := func(s Settings) plog.LogRecord {
		return convert(s, []Raw{text}).ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	}
	plain, full := record(Settings{}), record(Settings{BodyString: true, IncludeOriginal: true})
	require.Equal(t, map[string]any{"log_type": "incident", "item_name": "a"}, plain.Body().AsRaw())
	require.NotContains(t, plain.Attributes().AsRaw(), "log.record.original")
	require.Equal(t, []any{text, text}, []any{full.Body().AsRaw(), full.Attributes().AsRaw()["log.record.original"]})
	require.Equal(t, "batch-0", full.Attributes().AsRaw()["log.record.uid"])
}

func TestOneResourceForEachTenant(t *testing.T) {
	events := []Raw{`{"serial":"a","user":"1"}`, `{"serial":"b","user":"2"}`, `{"serial":null,"user":"3"}`, `{"user":"4"}`, `{"serial":"a","user":"5"}`, `{"serial":7,"user":"6"}`, `{"serial":"","user":"7"}`}
	byTenant := map[string]string{}
	logs := convert(Settings{ScopeName: "s", ScopeVersion: "v"}, events)
	for _, rl := range logs.ResourceLogs().All() {
		attrs := rl.Resource().Attributes().AsRaw()
		require.Equal(t, "saas-security", attrs["service.name"])
		tenant, named := attrs["saas_security.tenant"].(string)
		if !named {
			tenant = "none"
		}
		require.NotContains(t, byTenant, tenant)
		require.Equal(t, 1, rl.ScopeLogs().Len())
		require.Equal(t, "s", rl.ScopeLogs().At(0).Scope().Name())
		require.Equal(t, "v", rl.ScopeLogs().At(0).Scope().Version())
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			user, _ := record.Attributes().Get("user.name")
			byTenant[tenant] += user.Str()
		}
	}
	require.Equal(t, map[string]string{"a": "15", "b": "2", "none": "347", "7": "6"}, byTenant)
}

// Every simulated event becomes a record that still holds all of it.
func TestSimulatedEventsSurviveWhole(t *testing.T) {
	const n = 2000
	events, problem := decoded(reply(simulated(n)))
	require.False(t, problem.Found())
	require.Len(t, events, n)
	mapper := NewMapper(Settings{})
	names := map[string]int{}
	for i, e := range events {
		logs := plog.NewLogs()
		mapper.Append(logs, e, "uid", observed)
		record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		names[record.EventName()]++
		body, err := json.Marshal(record.Body().AsRaw())
		require.NoError(t, err)
		require.Equal(t, []int64{int64(i + 1)}, saassecurity.Find(body))
		var want, got map[string]any
		require.NoError(t, json.Unmarshal([]byte(e), &want))
		require.NoError(t, json.Unmarshal(body, &got))
		for key, value := range want {
			if key != "score" { // has numbers that only survive as text
				require.Equal(t, value, got[key], key)
			}
		}
		require.Len(t, got, len(want))
	}
	require.Len(t, names, 10, "six known types, three others and unknown: %v", names)
}
