// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

func FuzzDecode(f *testing.F) {
	body := reply(simulated(3))
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Add([]byte(simulated(1)[0]))
	f.Add([]byte(`[{"a":1},"\ud800",-0.1e5]`))
	f.Add([]byte(`{"events":null,"x":[1],"events":[2]} x`))
	f.Add([]byte(`{"log_type":"incident","severity":"1e400","timestamp":"9999-12-31T23:59:59Z"}`))
	f.Add([]byte("{\"events\":[{\"k\xff\":1}]}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, problem := decoded(body)
		for _, e := range events {
			require.True(t, json.Valid([]byte(e)))
		}
		if bytes.Equal(textOf(body, ""), body) { // it is not decoded
			require.True(t, bytes.HasSuffix(body, problem.Rest))
			if json.Valid(body) {
				require.Contains(t, []Reason{"", NotEvents}, problem.Reason)
			}
		}
		logs := convert(Settings{IncludeOriginal: true}, events)
		require.Equal(t, len(events), logs.LogRecordCount())
		if len(events) == 0 {
			return
		}
		wire, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		back, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(wire)
		require.NoError(t, err)
		require.Equal(t, len(events), back.LogRecordCount())
	})
}
