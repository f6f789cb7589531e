// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func TestFinalOutcomeIsCounted(t *testing.T) {
	giveUp := func(s *Settings) { s.Retry.Enabled = false }
	tests := []struct {
		name              string
		decide            func(plog.Logs) error
		change            func(*Settings)
		accepted, refused int64
		spans             []codes.Code
	}{
		{"accepted", failing(0, nil), func(*Settings) {}, 8, 0, []codes.Code{codes.Unset}},
		{"accepted after retries", failing(7, errTransient), func(*Settings) {}, 8, 0, []codes.Code{codes.Unset}},
		{"refused in part", refuseUIDs("2", "5"), func(*Settings) {}, 6, 0, []codes.Code{codes.Unset}},
		{"refused alone", failing(100, errTransient), func(*Settings) {}, 0, 0, []codes.Code{codes.Error}},
		{"given up", failing(100, errTransient), giveUp, 0, 8, []codes.Code{codes.Error}},
		{"given up in part", func(logs plog.Logs) error {
			return consumererror.NewLogs(errTransient, only(logs, "1"))
		}, giveUp, 7, 0, []codes.Code{codes.Unset}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				tel := componenttest.NewTelemetry()
				id := component.MustNewID("some_receiver")
				obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
					ReceiverID:             id,
					Transport:              "http",
					ReceiverCreateSettings: receiver.Settings{ID: id, TelemetrySettings: tel.NewTelemetrySettings()},
				})
				require.NoError(t, err)
				r := newRig(t, tt.decide, tt.change, func(s *Settings) { s.ObsReport = obs })
				out, err := r.DeliverOutcome(t.Context(), makeLogs(8))
				require.Equal(t, out.Left.LogRecordCount() == 0, err == nil)

				require.Equal(t, tt.accepted, sum(t, tel, "otelcol_receiver_accepted_log_records"))
				require.Equal(t, tt.refused, sum(t, tel, "otelcol_receiver_refused_log_records"))
				var spans []codes.Code
				for _, span := range tel.SpanRecorder.Ended() {
					spans = append(spans, span.Status().Code)
					require.NotContains(t, span.Status().Description, canary)
				}
				require.Equal(t, tt.spans, spans)
				require.Len(t, tel.SpanRecorder.Started(), len(spans))
				require.NoError(t, tel.Shutdown(t.Context()))
			})
		})
	}
}

func sum(t *testing.T, tel *componenttest.Telemetry, name string) int64 {
	t.Helper()
	metric, err := tel.GetMetric(name)
	require.NoError(t, err)
	total := int64(0)
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		total += point.Value
	}
	return total
}

func TestConcurrentCallsDeliverEverything(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		const calls, size = 8, 20
		refusals := 30
		r := newRig(t, func(logs plog.Logs) error {
			if refusals > 0 {
				refusals--
				return errTransient
			}
			return refuseUIDs("3", "44", "45", "46", "120")(logs)
		})
		logs := makeLogs(calls * size)
		var wg sync.WaitGroup
		for i := range calls {
			part := only(logs, numbers(i*size, (i+1)*size)...)
			wg.Go(func() {
				if err := r.insist(t.Context(), part); err != nil {
					t.Error("call " + strconv.Itoa(i) + ": " + err.Error())
				}
			})
		}
		wg.Wait()
		require.NoError(t, r.problems[len(r.problems)-1])
		r.requireOnce(t, calls*size, logs)
		require.Equal(t, 5, r.store.Len())
	})
}
