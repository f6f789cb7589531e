// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"crypto/sha256"
	"iter"

	"go.opentelemetry.io/collector/pdata/plog"
)

// identity stands for a record across calls.
type identity [sha256.Size]byte

// identities iterates over the identities of all records: made of the uid or, without one, of everything that is known.
func identities(logs plog.Logs) iter.Seq[identity] {
	return func(yield func(identity) bool) {
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					if !yield(identify(resource, scope, record)) {
						return
					}
				}
			}
		}
	}
}

func identify(resource plog.ResourceLogs, scope plog.ScopeLogs, record plog.LogRecord) identity {
	if uid, ok := record.Attributes().Get(uidAttribute); ok && uid.AsString() != "" {
		return sha256.Sum256([]byte("uid " + uid.AsString()))
	}
	single := plog.NewLogs()
	toResource := single.ResourceLogs().AppendEmpty()
	resource.Resource().CopyTo(toResource.Resource())
	toScope := toResource.ScopeLogs().AppendEmpty()
	scope.Scope().CopyTo(toScope.Scope())
	record.CopyTo(toScope.LogRecords().AppendEmpty())
	data, err := new(plog.ProtoMarshaler).MarshalLogs(single)
	if err != nil {
		return identity{} // no record's; what cannot be marshalled cannot be put into the quarantine either
	}
	return sha256.Sum256(data)
}
