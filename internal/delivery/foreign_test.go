// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// An exporter that merges the batches of several calls tells each of them what has failed of all.
func TestRecordsOfOtherCallsAreIgnored(t *testing.T) {
	tests := []struct {
		name   string
		failed func(logs plog.Logs) plog.Logs
		again  []string // what is offered again
	}{
		{"none is ours", func(plog.Logs) plog.Logs { return single("foreign") }, nil},
		{"one is ours", func(logs plog.Logs) plog.Logs { return merge([]plog.Logs{single("foreign"), only(logs, "3")}) }, []string{"3"}},
		{"more than there are of ours", func(logs plog.Logs) plog.Logs {
			others := makeLogs(20)
			for record := range records(others) {
				record.Attributes().PutStr(uidAttribute, "foreign "+uidOf(record))
			}
			return merge([]plog.Logs{others, only(logs, "3", "4")})
		}, []string{"3", "4"}},
		{"all of ours", func(logs plog.Logs) plog.Logs { return merge([]plog.Logs{logs, single("foreign")}) }, numbers(0, 10)},
	}
	for _, tt := range tests {
		for name, cause := range map[string]error{"permanent": errPermanent, "transient": errTransient} {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				virtualtime.Test(t, func(t *testing.T) {
					first := true
					r := newRig(t, func(logs plog.Logs) error {
						if !first {
							require.Equal(t, tt.again, uids(logs))
							return nil
						}
						first = false
						return consumererror.NewLogs(cause, tt.failed(logs))
					})
					require.NoError(t, r.Deliver(t.Context(), makeLogs(10)))
					require.Equal(t, tt.again == nil, r.backend.calls == 1)
					require.Equal(t, int64(10), r.accepted.Load())
					require.Zero(t, r.store.Len())
				})
			})
		}
	}
}
