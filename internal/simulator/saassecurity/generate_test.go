// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample of many generated events, decoded.
func sample(t *testing.T, n int64) []map[string]any {
	t.Helper()
	g := generator{seed: 3, tenant: DefaultTenant}
	events := make([]map[string]any, 0, n)
	for number := int64(1); number <= n; number++ {
		text := g.event(number, time.Now().UnixNano())
		require.Equal(t, []int64{number}, Find(text))
		var e map[string]any
		require.NoError(t, json.Unmarshal(text, &e), "%s", text)
		events = append(events, e)
	}
	return events
}

func TestGeneratorIsRepeatable(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano()
	one, same, other := generator{seed: 1}, generator{seed: 1}, generator{seed: 2}
	require.Equal(t, one.event(42, at), same.event(42, at))
	require.NotEqual(t, one.event(42, at), other.event(42, at))
	require.NotEqual(t, one.event(42, at), one.event(43, at))
}

// Every type, every nullable field both ways, every form of a value.
func TestGeneratorCoversTheSchema(t *testing.T) {
	fields := map[string]map[string]bool{} // log type → field → seen filled; "field=null" → seen null
	timestamps, severities := map[string]bool{}, map[string]bool{}
	for _, e := range sample(t, 8_000) {
		logType, _ := e["log_type"].(string)
		if fields[logType] == nil {
			fields[logType] = map[string]bool{}
		}
		for k, v := range e {
			if v == nil {
				k += "=null"
			}
			fields[logType][k] = true
		}
		timestamps[form(e["timestamp"])] = true
		if _, present := e["severity"]; !present && logType == "incident" {
			severities["absent"] = true
		}
	}
	g := generator{seed: 3}
	for number := int64(1); number < 200; number++ {
		text := string(g.event(number, 0))
		for _, s := range []string{`"severity":4,`, `"severity":4.0`, `"severity":null`} {
			severities[s] = severities[s] || strings.Contains(text, s)
		}
	}
	require.Equal(t, map[string]bool{"absent": true, `"severity":4,`: true, `"severity":4.0`: true, `"severity":null`: true}, severities)

	want := map[string]string{
		"activity_monitoring": "timestamp serial serial=null severity severity=null cloud_app_instance item_type item_name item_unique_id user source_ip source_ip=null location location=null action target_name target_name=null target_type target_type=null",
		"incident": "timestamp serial cloud_app_instance severity item_type item_name asset_id item_owner item_owner=null item_creator item_creator=null item_owner_email=null item_creator_email=null container_name container_name=null exposure " +
			"occurrences_by_rule occurrences_by_rule=null incident_id incident_id=null policy_rule_name incident_category incident_category=null incident_owner incident_owner=null collaborators item_verdict item_sha256 item_cloud_url",
		"policy_violation":  "timestamp serial severity item_owner item_creator asset_id action_taken action_taken_by incident_id incident_id=null policy_rule_name cloud_app_instance",
		"remediation":       "timestamp serial item_owner item_creator asset_id container_name container_name=null action_taken action_taken_by incident_id incident_id=null policy_rule_name cloud_app_instance",
		"admin_audit":       "timestamp timestamp=null serial admin_id admin_role ip event_type item_type item_name field action resource_value_old resource_value_old=null resource_value_new resource_value_new=null",
		"ba_incident_event": "timestamp description date severity policy_id user_email",
		"App Access Event":  "timestamp score findings",
		"":                  "log_type=null log_type",
	}
	for logType, names := range want {
		for name := range strings.FieldsSeq(names) {
			require.True(t, fields[logType][name], "%s: %s", logType, name)
		}
	}
	require.True(t, fields["incident"]["schema_rev"], "unknown fields occur")
	require.Equal(t, map[string]bool{"millis": true, "seconds": true, "blank": true, "spaced": true, "null": true, "garbage": true}, timestamps)
}

// form names the form of a timestamp.
func form(v any) string {
	text, ok := v.(string)
	switch {
	case !ok:
		return "null"
	case strings.HasSuffix(text, " "):
		return "blank"
	case strings.Contains(text, "."):
		return "millis"
	case strings.Contains(text, " "):
		return "spaced"
	case strings.HasSuffix(text, "Z"):
		return "seconds"
	}
	return "garbage"
}

func BenchmarkGenerate(b *testing.B) {
	g := generator{seed: 1, tenant: DefaultTenant}
	for number := int64(1); b.Loop(); number++ {
		b.SetBytes(int64(len(g.event(number, 0))))
	}
}

// What a mapper may stumble over although each part of it is known.
func TestGeneratorMakesHardEvents(t *testing.T) {
	nulls := map[string]int{} // log type → most nulls in an event
	lists, fractions := 0, 0
	g := generator{seed: 3, tenant: DefaultTenant}
	for number := int64(1); number <= 8_000; number++ {
		var e map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(g.event(number, 0), &e))
		null := 0
		for _, v := range e {
			if string(v) == "null" {
				null++
			}
		}
		logType := string(e["log_type"])
		nulls[logType] = max(nulls[logType], null)
		if strings.HasPrefix(string(e["collaborators"]), "[") {
			lists++
		}
		if strings.HasSuffix(string(e["occurrences_by_rule"]), ".0") {
			fractions++
		}
	}
	for logType, want := range map[string]int{
		`"activity_monitoring"`: 7, `"incident"`: 12, `"policy_violation"`: 8, `"remediation"`: 8, `"admin_audit"`: 4, `"ba_incident_event"`: 3,
	} {
		require.GreaterOrEqual(t, nulls[logType], want, "%s with all nullable fields null", logType)
	}
	require.Positive(t, lists, "a list of collaborators")
	require.Positive(t, fractions, "a count as fraction")
}
