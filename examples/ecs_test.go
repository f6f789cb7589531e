// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// TestECSOfEveryPayload shows the ECS fields of all records of both receivers. -update writes the golden files.
func TestECSOfEveryPayload(t *testing.T) {
	s := newShaper(t, "ecs")
	for name, logs := range goldenRecords(t) {
		t.Run(name, func(t *testing.T) {
			shaped := s.shape(t, logs)
			var all []map[string]any
			for was, is := range pairs(logs, shaped) {
				fields := fieldsOf(was, is)
				checkECS(t, fields)
				all = append(all, fields)
			}
			requireUntouched(t, logs, shaped, func(was, is plog.LogRecord) {
				for key := range fieldsOf(was, is) {
					is.Attributes().Remove(key)
					if value, had := was.Attributes().Get(key); had {
						value.CopyTo(is.Attributes().PutEmpty(key))
					}
				}
			})
			requireShape(t, filepath.Join("ecs", "testdata", name), all)
		})
	}
	s.stop(t)
}

func TestEveryActionHasACategoryOrIsNamed(t *testing.T) {
	s := newShaper(t, "ecs")
	without := map[string]bool{}
	logs := allRecords(t)
	for was, is := range pairs(logs, s.shape(t, logs)) {
		fields := fieldsOf(was, is)
		checkECS(t, fields)
		if action, says := was.Attributes().Get("audit.action"); says && fields["event.category"] == nil {
			without[action.Str()] = true
		}
	}
	s.stop(t)
	requireListed(t, "ecs/README.md", "Actions without a category: ", without)
}

// fieldsOf are the attributes that the processor has set, and user.name, which it has at least looked at; nil are those that it
// took away.
func fieldsOf(was, is plog.LogRecord) map[string]any {
	before, fields := was.Attributes().AsRaw(), is.Attributes().AsRaw()
	for key, value := range before {
		now, there := fields[key]
		switch {
		case !there:
			fields[key] = nil
		case key != "user.name" && reflect.DeepEqual(value, now):
			delete(fields, key)
		}
	}
	return fields
}

// What ECS 9 allows; for each category the types that it expects.
var (
	ecsKinds = []string{"alert", "asset", "enrichment", "event", "metric", "pipeline_error", "signal", "state"}
	ecsTypes = map[string]string{
		"api":                 "access admin allowed change creation deletion denied end info start user",
		"authentication":      "end info start",
		"configuration":       "access change creation deletion info",
		"database":            "access change error info",
		"file":                "access change creation deletion info",
		"host":                "access change end info start",
		"iam":                 "admin change creation deletion group info user",
		"intrusion_detection": "allowed denied info",
		"malware":             "info",
		"package":             "access change deletion info installation start",
		"web":                 "access error info",
	}
)

func checkECS(t *testing.T, fields map[string]any) {
	t.Helper()
	assert.Contains(t, ecsKinds, fields["event.kind"], "%v", fields)
	assert.Contains(t, []any{"success", "failure", "unknown"}, fields["event.outcome"], "%v", fields)
	for _, name := range []string{"ecs.version", "event.id", "event.action", "event.provider"} {
		assert.NotEmpty(t, fields[name], "%v", fields)
	}
	if address, has := fields["source.ip"].(string); has {
		_, err := netip.ParseAddr(address)
		require.NoError(t, err, "%v", fields)
	}
	categories, categorised := fields["event.category"].([]any)
	types, typed := fields["event.type"].([]any)
	require.Equal(t, categorised, typed, "%v", fields)
	expected := map[string]bool{}
	for _, category := range categories {
		name, _ := category.(string)
		require.Contains(t, ecsTypes, name, "%v", fields)
		for one := range strings.FieldsSeq(ecsTypes[name]) {
			expected[one] = true
		}
	}
	for _, one := range types {
		name, _ := one.(string)
		assert.True(t, expected[name], "%v of %v", one, fields)
	}
	assert.Len(t, slices.Compact(slices.Clone(types)), len(types), "%v", fields)
}
