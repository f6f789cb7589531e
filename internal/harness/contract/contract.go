// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package contract stands between a receiver and the checker of the contract between receivers and consumers.
package contract

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
)

// judge names the records as the checker wants.
//
// The checker takes a permanent error for the end of the data. The receivers go further and offer it again, as a backend that
// is down answers with permanent errors too. The data that the checker has dropped ends here, so that everything else is
// checked: nothing that was accepted comes again, and nothing is missing.
type judge struct {
	consumer.Logs

	attribute string

	mu      sync.Mutex
	dropped map[string]bool
}

// Judge returns what a receiver is to be given in place of the checker's consumer. Its records are known by an attribute.
func Judge(checker consumer.Logs, attribute string) consumer.Logs {
	return &judge{Logs: checker, attribute: attribute, dropped: map[string]bool{}}
}

func (j *judge) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	named := plog.NewLogs()
	into := named.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	var ids []string
	for _, record := range observed.Records(logs) {
		id, _ := record.Attributes().Get(j.attribute)
		if !j.dropped[id.Str()] {
			ids = append(ids, id.Str())
			into.AppendEmpty().Attributes().PutStr(receivertest.UniqueIDAttrName, id.Str())
		}
	}
	if len(ids) == 0 {
		return nil
	}
	err := j.Logs.ConsumeLogs(ctx, named)
	if consumererror.IsPermanent(err) {
		for _, id := range ids {
			j.dropped[id] = true
		}
	}
	return err
}
