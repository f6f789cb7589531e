// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"crypto/sha256"
	"iter"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/pdata/plog"
)

// maxAlone bounds the records that are remembered between calls; the oldest go first.
const maxAlone = 1024

// identity stands for a record across calls.
type identity [sha256.Size]byte

// loners are the records that were given back with ErrRefusedAlone. A record that is alone in its call has nothing to be
// compared with there, but when it comes back it can be compared with what other calls got accepted in between.
type loners struct {
	mu    sync.Mutex
	marks map[identity]int64 // Deliverer.accepted at the last refusal
	order []identity         // of marks, oldest first
}

// remember keeps the only record of logs, which was last refused when accepted records had been accepted.
func (l *loners) remember(logs plog.Logs, accepted int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range identities(logs) {
		l.remove(id)
		if len(l.order) == maxAlone {
			l.remove(l.order[0])
		}
		if l.marks == nil {
			l.marks = map[identity]int64{}
		}
		l.marks[id] = accepted
		l.order = append(l.order, id)
	}
}

// recall returns what was remembered of the only record of logs.
func (l *loners) recall(logs plog.Logs) (accepted int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.marks) == 0 {
		return 0, false
	}
	for id := range identities(logs) {
		accepted, ok = l.marks[id]
	}
	return accepted, ok
}

// forget drops all records of logs, because they came through or are in the quarantine.
func (l *loners) forget(logs plog.Logs) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.marks) == 0 {
		return
	}
	for id := range identities(logs) {
		l.remove(id)
	}
}

func (l *loners) remove(id identity) {
	if _, ok := l.marks[id]; !ok {
		return
	}
	delete(l.marks, id)
	i := slices.Index(l.order, id)
	l.order = slices.Delete(l.order, i, i+1)
}

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
