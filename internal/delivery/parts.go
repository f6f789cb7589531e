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
	return deal(logs, 1, func(_ int, record plog.LogRecord) int {
		if keep(record) {
			return 0
		}
		return -1
	})[0]
}

// deal copies the records, with their resources and scopes, into n parts: each into the one whose index to returns, or into none
// if that is negative. It calls to once for each record and its place in logs, in order.
func deal(logs plog.Logs, n int, to func(place int, record plog.LogRecord) int) []plog.Logs {
	parts := make([]part, n)
	dealt := make([]plog.Logs, n)
	for i := range parts {
		dealt[i] = plog.NewLogs()
		parts[i] = part{logs: dealt[i], inResource: -1}
	}
	place := 0
	for r, resource := range logs.ResourceLogs().All() {
		for s, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if i := to(place, record); i >= 0 {
					parts[i].enter(r, resource, s, scope)
					record.CopyTo(parts[i].scope.LogRecords().AppendEmpty())
				}
				place++
			}
		}
	}
	return dealt
}

// part is where deal puts records: logs, and of these the resource and the scope that stand for the indexes of the originals.
type part struct {
	logs                plog.Logs
	resource            plog.ResourceLogs
	scope               plog.ScopeLogs
	inResource, inScope int
}

// enter opens a copy of the resource, and of the scope in it, unless it is open.
func (p *part) enter(r int, resource plog.ResourceLogs, s int, scope plog.ScopeLogs) {
	if p.inResource == r && p.inScope == s {
		return
	}
	if p.inResource != r {
		p.resource = p.logs.ResourceLogs().AppendEmpty()
		resource.Resource().CopyTo(p.resource.Resource())
		p.resource.SetSchemaUrl(resource.SchemaUrl())
	}
	p.scope = p.resource.ScopeLogs().AppendEmpty()
	scope.Scope().CopyTo(p.scope.Scope())
	p.scope.SetSchemaUrl(scope.SchemaUrl())
	p.inResource, p.inScope = r, s
}

// halve copies logs, which have at least two records, into two parts.
func halve(logs plog.Logs) (first, second plog.Logs) {
	half := logs.LogRecordCount() / 2
	halves := deal(logs, 2, func(place int, _ plog.LogRecord) int {
		if place < half {
			return 0
		}
		return 1
	})
	return halves[0], halves[1]
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
