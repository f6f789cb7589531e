// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// TestOCSFOfEveryPayload shows the OCSF events of all records of both receivers. -update writes the golden files.
func TestOCSFOfEveryPayload(t *testing.T) {
	s, schema := newShaper(t, "ocsf"), readSchema(t)
	for name, logs := range goldenRecords(t) {
		t.Run(name, func(t *testing.T) {
			shaped := s.shape(t, logs)
			var events []map[string]any
			for was, is := range pairs(logs, shaped) {
				event := eventOf(t, was, is)
				schema.check(t, event)
				events = append(events, event)
			}
			requireUntouched(t, logs, shaped, func(was, is plog.LogRecord) { was.Body().CopyTo(is.Body()) })
			requireShape(t, filepath.Join("ocsf", "testdata", name), events)
		})
	}
	s.stop(t)
}

// eventOf is the OCSF event of a record without what the body was, which must be there whole.
func eventOf(t *testing.T, was, is plog.LogRecord) map[string]any {
	t.Helper()
	require.Equal(t, pcommon.ValueTypeMap, is.Body().Type())
	event := is.Body().Map().AsRaw()
	if was.Body().Type() == pcommon.ValueTypeMap {
		require.Equal(t, was.Body().Map().AsRaw(), event["unmapped"])
		require.NotContains(t, event, "raw_data")
	} else {
		require.Equal(t, was.Body().AsString(), event["raw_data"]) // bytes are Base64
		require.NotContains(t, event, "unmapped")
	}
	delete(event, "unmapped")
	delete(event, "raw_data")
	return event
}

func TestEveryActionHasAClassOrAReason(t *testing.T) {
	s, schema := newShaper(t, "ocsf"), readSchema(t)
	without := map[string]bool{}
	logs := allRecords(t)
	for was, is := range pairs(logs, s.shape(t, logs)) {
		event := eventOf(t, was, is)
		schema.check(t, event)
		if event["class_uid"] != int64(0) {
			require.NotContains(t, event, "message")
			continue
		}
		require.Contains(t, event["message"], "No class of OCSF: ")
		if action, says := was.Attributes().Get("audit.action"); says {
			without[action.Str()] = true
		}
	}
	s.stop(t)
	requireListed(t, "ocsf/README.md", "Actions without a class: ", without)
}

// requireListed checks that a README names these words, and no others, in a line of its own.
func requireListed(t *testing.T, readme, start string, words map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if list, found := strings.CutPrefix(line, start); found {
			var named []string
			for word := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(list), "."), ", ") {
				named = append(named, strings.Trim(word, "`"))
			}
			require.Equal(t, slices.Sorted(maps.Keys(words)), named)
			return
		}
	}
	require.Fail(t, readme+" has no line that begins with "+start)
}

// schema holds the names of OCSF 1.8.0 that the events can use.
type schema struct {
	Classes    map[string]class
	Objects    map[string]form
	Attributes map[string]string // the objects that attributes hold
}

type form struct {
	Required   []string
	AtLeastOne []string `json:"at_least_one"`
	Attributes []string
}

type class struct {
	form
	Name        string
	CategoryUID int64 `json:"category_uid"`
	Activities  []int64
	Statuses    []int64
}

func readSchema(t *testing.T) (s schema) {
	t.Helper()
	text, err := os.ReadFile("ocsf/testdata/schema.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &s))
	require.NotEmpty(t, s.Classes)
	return s
}

// check holds an event against the schema.
func (s schema) check(t *testing.T, event map[string]any) {
	t.Helper()
	classUID, isInt := event["class_uid"].(int64)
	require.True(t, isInt, "%v", event)
	c, known := s.Classes[strconv.FormatInt(classUID, 10)]
	require.True(t, known, "%v", event)
	activity, isInt := event["activity_id"].(int64)
	require.True(t, isInt, "%v", event)
	assert.Contains(t, c.Activities, activity, "%v", event)
	assert.Equal(t, c.CategoryUID, event["category_uid"], "%v", event)
	assert.Equal(t, classUID*100+activity, event["type_uid"], "%v", event)
	assert.Contains(t, c.Statuses, event["status_id"], "%v", event)
	assert.Contains(t, []int64{0, 1, 2, 3, 4, 5, 6}, event["severity_id"], "%v", event)
	assert.IsType(t, int64(0), event["time"], "%v", event)
	if activity == 99 {
		assert.NotEmpty(t, event["activity_name"], "%v", event)
	}
	metadata, isMap := event["metadata"].(map[string]any)
	require.True(t, isMap, "%v", event)
	for _, name := range []string{"version", "uid", "original_time"} {
		assert.NotEmpty(t, metadata[name], "%v", event)
	}
	if profiles, isList := metadata["profiles"].([]any); isList && slices.Contains(profiles, any("host")) {
		c.Attributes = append(slices.Clone(c.Attributes), "actor")
	}
	s.checkForm(t, c.form, event, event)
}

func (s schema) checkForm(t *testing.T, f form, value, event map[string]any) {
	t.Helper()
	for _, name := range f.Required {
		assert.Contains(t, value, name, "%v", event)
	}
	if len(f.AtLeastOne) > 0 {
		assert.True(t, slices.ContainsFunc(f.AtLeastOne, func(name string) bool { return value[name] != nil }), "%v of %v", f.AtLeastOne, event)
	}
	for name, member := range value {
		assert.Contains(t, f.Attributes, name, "%v", event)
		assert.NotNil(t, member, "%s of %v", name, event)
		members, isList := member.([]any)
		if !isList {
			members = []any{member}
		}
		object, isObject := s.Objects[s.Attributes[name]]
		for _, one := range members {
			assert.NotEmpty(t, fmt.Sprint(one), "%s of %v", name, event)
			if inner, isMap := one.(map[string]any); isObject && assert.True(t, isMap, "%s of %v", name, event) {
				s.checkForm(t, object, inner, event)
			}
		}
	}
}
