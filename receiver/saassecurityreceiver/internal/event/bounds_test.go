// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// A reply of few bytes on the wire can hold millions of events. Finding them and going through them takes no more memory than
// the reply itself, and a little.
func TestReplyOfMillionsOfEventsTakesLittleMemory(t *testing.T) {
	const size = 1 << 20
	for name, unit := range map[string]string{"numbers": "0,", "objects": "{},", "not UTF-8": "\"\xff\",", "members beside": ""} {
		t.Run(name, func(t *testing.T) {
			body := "[" + strings.Repeat(unit, size/max(1, len(unit))) + "0]"
			want := size/max(1, len(unit)) + 1
			if unit == "" {
				body = `{"events":[7],` + strings.Repeat(`"a":[],`, size/7) + `"z":1}`
				want = 2
			}
			before := held()
			r := Decode([]byte(body), "")
			require.Equal(t, want, r.Len())
			require.Less(t, held()-before, int64(3*size), "the reply's copy included")
			got := 0
			for {
				if _, ok := r.Next(); !ok {
					break
				}
				got++
			}
			require.Equal(t, want, got)
			require.False(t, r.Problem.Found())
		})
	}
}

// held is how many bytes are in use.
func held() int64 {
	var m runtime.MemStats
	for range 2 { // a pool lets go of its own after two collections
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestEachTenantHasOneResourceHoweverManyThereAre(t *testing.T) {
	const tenants = 10_000
	mapper := NewMapper(Settings{})
	logs := plog.NewLogs()
	for n := range 2 * tenants {
		mapper.Append(logs, Raw(fmt.Sprintf(`{"serial":"%d","n":%d}`, n%tenants, n)), "uid", observed)
	}
	require.Equal(t, tenants, logs.ResourceLogs().Len())
	for n, rl := range logs.ResourceLogs().All() {
		tenant, _ := rl.Resource().Attributes().Get(attrTenant)
		require.Equal(t, strconv.Itoa(n), tenant.Str())
		require.Equal(t, 2, rl.ScopeLogs().At(0).LogRecords().Len())
	}

	others := plog.NewLogs() // what is known of the first ones must not be used for these
	mapper.Append(others, `{"serial":"7"}`, "uid", observed)
	require.Equal(t, 1, others.LogRecordCount())
	require.Equal(t, 2*tenants, logs.LogRecordCount())
}

func TestBytesThatAreNoTextAreKeptAsTheyCame(t *testing.T) {
	const text = "{\"log_type\":\"incident\",\"item_name\":\"caf\xe9 \xf0\x9f\",\"user\":\"a\"}"
	r := Decode([]byte(`{"events":[{"log_type":"incident"},`+text+`]}`), "")
	require.Equal(t, 2, r.Len())
	for _, asString := range []bool{false, true} {
		r := Decode([]byte(`{"events":[{"log_type":"incident"},`+text+`]}`), "")
		mapper := NewMapper(Settings{BodyString: asString, IncludeOriginal: true})
		logs := plog.NewLogs()
		for i := range 2 {
			ev, ok := r.Next()
			require.True(t, ok)
			require.Equal(t, i == 1, mapper.Append(logs, ev, "uid", observed)&NotUTF8 != 0)
		}
		records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		original, _ := records.At(0).Attributes().Get(attrOriginal)
		require.Equal(t, `{"log_type":"incident"}`, original.Str(), "text stays text") //nolint:testifylint // byte by byte
		original, _ = records.At(1).Attributes().Get(attrOriginal)
		require.Equal(t, text, string(original.Bytes().AsRaw())) //nolint:testifylint // byte by byte
		if asString {
			require.Equal(t, text, string(records.At(1).Body().Bytes().AsRaw())) //nolint:testifylint // byte by byte
		} else {
			require.Equal(t, "caf\uFFFD \uFFFD\uFFFD", records.At(1).Body().Map().AsRaw()["item_name"], "a map can only hold text")
		}
		user, _ := records.At(1).Attributes().Get(attrUserName)
		require.Equal(t, "a", user.Str())
	}
}
