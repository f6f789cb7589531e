// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/plog"
)

const (
	// provenPortions is how many portions of the size that passes allow for an attempt at a larger one. It doubles each time
	// that such an attempt is refused, up to maxProven.
	provenPortions = 10
	maxProven      = 64 * provenPortions
)

// size is how much is offered at a time.
type size struct {
	records int
	bytes   int // as OTLP protobuf
}

func sizeOf(logs plog.Logs) size {
	return size{records: logs.LogRecordCount(), bytes: new(plog.ProtoMarshaler).LogsSize(logs)}
}

func (s size) max(other size) size {
	return size{records: max(s.records, other.records), bytes: max(s.bytes, other.bytes)}
}

// within reports whether s is no more than limit.
func (s size) within(limit size) bool { return s.records <= limit.records && s.bytes <= limit.bytes }

// portions learns how much the consumer takes at a time: proxies and gRPC servers limit a message, some backends the number of
// records. What passes is remembered, and grows again carefully.
type portions struct {
	mu     sync.Mutex
	proven size // what passes, when more was refused; zero while nothing is known
	count  int  // portions of about that size that passed since it was set or last overreached
	enough int  // how many of them allow for an attempt at more
	guess  size // what passed when more was refused without a reason, and nothing larger passed since; zero for none
}

// learn notes that this much passed when more was refused. If the refusals did not name the size as their reason, it takes two such
// cases in a row: a backend of which one node is bad refuses by chance.
func (p *portions) learn(most size, named bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !named && p.guess.records == 0 {
		p.guess = most
		return
	}
	p.proven, p.count, p.enough, p.guess = most.max(p.guess), 0, provenPortions, size{}
}

// cut returns logs in portions, or as they are if there is no need.
func (p *portions) cut(logs plog.Logs) []plog.Logs {
	limit := p.limit()
	if limit.records == 0 || sizeOf(logs).within(limit) {
		return []plog.Logs{logs}
	}
	var ends []int // of the portions, as places
	place, n, bytes := 0, 0, 0
	for record := range records(logs) {
		size := new(plog.ProtoMarshaler).LogRecordSize(record)
		if n > 0 && (n == limit.records || bytes+size > limit.bytes) {
			ends = append(ends, place)
			n, bytes = 0, 0
		}
		place, n, bytes = place+1, n+1, bytes+size
	}
	if len(ends) == 0 {
		return []plog.Logs{logs}
	}
	portion := 0
	return deal(logs, len(ends)+1, func(place int, _ plog.LogRecord) int {
		if portion < len(ends) && place == ends[portion] {
			portion++
		}
		return portion
	})
}

func (p *portions) limit() size {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proven.records == 0 || p.count < p.enough {
		return p.proven
	}
	return size{records: p.proven.records + p.proven.records/2 + 1, bytes: p.proven.bytes + p.proven.bytes/2}
}

// passed notes that logs were accepted.
func (p *portions) passed(logs plog.Logs) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proven.records == 0 && p.guess.records == 0 {
		return
	}
	got := sizeOf(logs)
	if !got.within(p.guess) {
		p.guess = size{}
	}
	switch {
	case p.proven.records == 0:
	case !got.within(p.proven):
		p.proven, p.count, p.enough = p.proven.max(got), 0, provenPortions
	case 2*got.records >= p.proven.records || 2*got.bytes >= p.proven.bytes:
		p.count++
	}
}

// overreached notes that logs were refused, and reports whether that may be because they were an attempt at more than passes.
func (p *portions) overreached(logs plog.Logs) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proven.records == 0 || logs.LogRecordCount() < 2 || sizeOf(logs).within(p.proven) || p.count < p.enough {
		return false
	}
	p.count, p.enough = 0, min(2*p.enough, maxProven)
	return true
}
