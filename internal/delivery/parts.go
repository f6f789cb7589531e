// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"iter"

	"go.opentelemetry.io/collector/pdata/plog"
)

// uidAttribute identifies a record: two with the same value are the same event.
const uidAttribute = "log.record.uid"

// records iterates over all records.
func records(logs plog.Logs) iter.Seq[plog.LogRecord] {
	return func(yield func(plog.LogRecord) bool) {
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					if !yield(record) {
						return
					}
				}
			}
		}
	}
}

// pick returns copies of the records that keep selects, with their resources and scopes. It calls keep once for each
// record, in order.
func pick(logs plog.Logs, keep func(plog.LogRecord) bool) plog.Logs {
	picked := plog.NewLogs()
	for _, fromResource := range logs.ResourceLogs().All() {
		var toResource plog.ResourceLogs
		newResource := true
		for _, fromScope := range fromResource.ScopeLogs().All() {
			var toScope plog.ScopeLogs
			newScope := true
			for _, record := range fromScope.LogRecords().All() {
				if !keep(record) {
					continue
				}
				if newResource {
					toResource = picked.ResourceLogs().AppendEmpty()
					fromResource.Resource().CopyTo(toResource.Resource())
					toResource.SetSchemaUrl(fromResource.SchemaUrl())
					newResource = false
				}
				if newScope {
					toScope = toResource.ScopeLogs().AppendEmpty()
					fromScope.Scope().CopyTo(toScope.Scope())
					toScope.SetSchemaUrl(fromScope.SchemaUrl())
					newScope = false
				}
				record.CopyTo(toScope.LogRecords().AppendEmpty())
			}
		}
	}
	return picked
}

// halve copies logs, which have at least two records, into two parts.
func halve(logs plog.Logs) (first, second plog.Logs) {
	half := logs.LogRecordCount() / 2
	part := func(from, to int) plog.Logs {
		i := -1
		return pick(logs, func(plog.LogRecord) bool {
			i++
			return from <= i && i < to
		})
	}
	return part(0, half), part(half, logs.LogRecordCount())
}

// merge copies all parts into one.
func merge(parts []plog.Logs) plog.Logs {
	merged := plog.NewLogs()
	for _, part := range parts {
		for _, resource := range part.ResourceLogs().All() {
			resource.CopyTo(merged.ResourceLogs().AppendEmpty())
		}
	}
	return merged
}

// restore finds the originals of the failed records by their uids, because what a consumer reports as failed is what
// became of the records on the way, and must not go that way twice. It is not ok if a failed record has no original.
func restore(originals, failed plog.Logs) (restored plog.Logs, ok bool) {
	wanted := map[string]int{}
	missing := 0
	for record := range records(failed) {
		uid, found := record.Attributes().Get(uidAttribute)
		if !found {
			return plog.Logs{}, false
		}
		wanted[uid.AsString()]++
		missing++
	}
	restored = pick(originals, func(record plog.LogRecord) bool {
		uid, found := record.Attributes().Get(uidAttribute)
		if !found || wanted[uid.AsString()] == 0 {
			return false
		}
		wanted[uid.AsString()]--
		missing--
		return true
	})
	return restored, missing == 0
}
