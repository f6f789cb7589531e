// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// One event of a reply can hold millions of values, each of which takes fifty times its text in memory as a part of a record.
func TestEventOfManyThousandValuesTakesLittleMemoryAndLosesNothing(t *testing.T) {
	const (
		values = 1 << 18
		about  = `"log_type":"incident","serial":"7","severity":3,"user":"a@b.example"`
	)
	many := func(unit string) string { return strings.Repeat(unit+",", values) + unit }
	var members strings.Builder
	for n := range 80_000 {
		fmt.Fprintf(&members, `,"m%d":{"n":0}`, n)
	}
	for name, tt := range map[string]struct {
		text  string
		whole bool // the body is all of it as text
	}{
		"array":             {text: `{` + about + `,"x":[` + many("0") + `]}`},
		"objects":           {text: `{` + about + `,"x":[` + many(`{"a":0}`) + `]}`},
		"documented member": {text: `{` + about + `,"collaborators":[` + many("[]") + `]}`},
		"members":           {text: `{` + about + members.String() + `}`, whole: true},
		"members first":     {text: `{"m":0` + members.String() + `,` + about + `}`, whole: true},
		"one member often":  {text: `{"user":"other","user":[0],` + many(`"y":0`) + `,` + about + `}`, whole: true},
		"many arrays":       {text: `{` + about + `,` + many(`"a":[0,0,0,0]`) + `}`, whole: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, asString := range []bool{false, true} {
				before := held()
				logs := plog.NewLogs()
				mapper := NewMapper(Settings{BodyString: asString, IncludeOriginal: true})
				odd := mapper.Append(logs, Raw(tt.text), "uid", observed)
				assert.Less(t, held()-before, int64(12<<20))
				runtime.KeepAlive(mapper)

				assert.NotZero(t, odd&TooManyValues)
				assert.Zero(t, odd&(UnknownType|BadSeverity))
				rl := logs.ResourceLogs().At(0)
				assert.Equal(t, "7", attributeOf(rl.Resource().Attributes(), attrTenant))
				record := rl.ScopeLogs().At(0).LogRecords().At(0)
				assert.Equal(t, "saas_security.incident", record.EventName())
				assert.Equal(t, "a@b.example", attributeOf(record.Attributes(), attrUserEmail))
				assert.Less(t, record.Attributes().Len(), 20)
				assert.True(t, tt.text == attributeOf(record.Attributes(), attrOriginal), "the event as received") //nolint:testifylint // megabytes
				if asString || tt.whole {
					require.Equal(t, pcommon.ValueTypeStr, record.Body().Type())
					assert.True(t, tt.text == record.Body().Str(), "the event as received") //nolint:testifylint // megabytes
					continue
				}
				require.Equal(t, pcommon.ValueTypeMap, record.Body().Type())
				for key, value := range record.Body().Map().All() {
					if key == "x" || key == "collaborators" {
						assert.Equal(t, pcommon.ValueTypeStr, value.Type())
						assert.Contains(t, tt.text, `"`+key+`":`+value.Str()+"}")
					}
				}
			}
		})
	}
}

func attributeOf(attrs pcommon.Map, key string) string {
	value, _ := attrs.Get(key)
	return value.AsString()
}

func TestEventOfTooManyMembersIsReadWhereverItStands(t *testing.T) {
	members := strings.Repeat(`,"a":0`, jsonlog.MaxNodes)
	inString := `"{\"log_type\":\"incident\"` + strings.ReplaceAll(members, `"`, `\"`) + `}"`
	record, odd := one(t, inString)
	require.Equal(t, TooManyValues|UnknownFields|NoTimestamp, odd)
	require.Equal(t, "saas_security.incident", record.EventName())
	require.Equal(t, `{"log_type":"incident"`+members+`}`, record.Body().Str())

	// What is no text, either, is kept as it came.
	record, odd = one(t, `{"log_type":"incident"`+members+",\"b\":\"\xff\"}")
	require.Equal(t, TooManyValues|UnknownFields|NoTimestamp|NotUTF8, odd)
	require.Equal(t, "saas_security.incident", record.EventName())
	require.Equal(t, `{"log_type":"incident"`+members+",\"b\":\"\xff\"}", string(record.Body().Bytes().AsRaw()))

	record, odd = one(t, "["+strings.Repeat("0,", jsonlog.MaxNodes)+"0]") // no object
	require.Equal(t, TooManyValues|UnknownType|NoTimestamp, odd)
	require.Len(t, record.Body().Str(), 2*jsonlog.MaxNodes+3)
}

func TestOneLargeEventSaysNothingOfTheNext(t *testing.T) {
	mapper := NewMapper(Settings{})
	members := strings.Repeat(`,"a":0`, jsonlog.MaxNodes)
	for _, large := range []string{
		`{"log_type":"incident"` + members + `}`, `"{\"log_type\":\"incident\"` + strings.ReplaceAll(members, `"`, `\"`) + `}"`,
	} {
		for _, next := range []string{`{"log_type":"incident"}`, `"text"`, `0`, `"{\"log_type\":\"incident\"}"`} {
			logs := plog.NewLogs()
			require.NotZero(t, mapper.Append(logs, Raw(large), "uid", observed)&TooManyValues)
			require.Zero(t, mapper.Append(logs, Raw(next), "uid", observed)&TooManyValues)
		}
	}
}
