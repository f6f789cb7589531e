// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"context"
	"encoding/json"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	receiverquarantine "github.com/otelcol-audit/otelcol-audit/internal/quarantine"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// report is what a process that was not killed says at its end.
type report struct {
	Doubt       int     `json:"doubt"`       // reads that it counted as of unknown outcome, whatever the reason
	Left        int     `json:"left"`        // replies in the spool
	Unsaved     int     `json:"unsaved"`     // reads that its Shutdown had to give up
	Quarantined []int64 `json:"quarantined"` // events
}

// reportFile is replaced at every end.
const reportFile = "report.json"

func (l *life) write(r report) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(l.path(reportFile), text, 0o600)
}

// quarantined lists the events in the quarantine, which the receiver has closed.
func (l *life) quarantined(ctx context.Context, ext storage.Extension) ([]int64, error) {
	client, err := ext.GetClient(ctx, component.KindReceiver, component.MustNewID(l.Receiver), "")
	if err != nil {
		return nil, err
	}
	defer client.Close(ctx)
	kept, err := receiverquarantine.Open(ctx, client, receiverquarantine.Limits{})
	if err != nil {
		return nil, err
	}
	entries, err := kept.List(ctx)
	if err != nil {
		return nil, err
	}
	var events []int64
	for _, e := range entries {
		logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(e.Data)
		if err != nil {
			return nil, err
		}
		for _, r := range observed.Records(logs) {
			events = append(events, saassecurity.Find([]byte(r.Body().AsString()))...)
		}
	}
	return events, nil
}

// value is a metric's, or zero before it was measured.
func value(telemetry *componenttest.Telemetry, name string, with ...string) int {
	total, _ := observed.Metric(telemetry, name, with...)
	return total
}
