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

// pickPlaces is pick by the place of a record in logs.
func pickPlaces(logs plog.Logs, keep func(place int) bool) plog.Logs {
	place := -1
	return pick(logs, func(plog.LogRecord) bool {
		place++
		return keep(place)
	})
}

// halve copies logs, which have at least two records, into two parts.
func halve(logs plog.Logs) (first, second plog.Logs) {
	half := logs.LogRecordCount() / 2
	return pickPlaces(logs, func(place int) bool { return place < half }), pickPlaces(logs, func(place int) bool { return place >= half })
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
// became of the records on the way, and must not go that way twice. A failed record with a uid that none of the originals has
// belongs to another call, whose records an exporter has merged with these. One without any is kept as it is.
func restore(originals, failed plog.Logs) plog.Logs {
	wanted := map[string]int{}
	for record := range records(failed) {
		if uid, found := record.Attributes().Get(uidAttribute); found {
			wanted[uid.AsString()]++
		}
	}
	restored := pick(originals, func(record plog.LogRecord) bool {
		uid, found := record.Attributes().Get(uidAttribute)
		if !found || wanted[uid.AsString()] == 0 {
			return false
		}
		wanted[uid.AsString()]--
		return true
	})
	unnamed := pick(failed, func(record plog.LogRecord) bool {
		_, found := record.Attributes().Get(uidAttribute)
		return !found
	})
	if unnamed.LogRecordCount() == 0 {
		return restored
	}
	return merge([]plog.Logs{restored, unnamed})
}
