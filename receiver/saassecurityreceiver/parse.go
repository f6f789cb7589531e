// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"fmt"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/spool"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/event"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/metadata"
)

// Of records that stand for no event of the vendor.
const (
	eventUnparsed  = "saas_security.unparsed"
	attrUID        = "log.record.uid"
	attrReason     = "saas_security.unparsed.reason"
	attrIncomplete = "saas_security.unparsed.truncated"
)

// mapping is how replies become log records.
type mapping struct {
	settings event.Settings
	source   string // the receiver's id, for the quarantine
}

func newMapping(cfg *Config, source, version string) mapping {
	return mapping{source: source, settings: event.Settings{
		BodyString: cfg.Body == bodyString, IncludeOriginal: cfg.IncludeOriginal,
		ScopeName: metadata.ScopeName, ScopeVersion: version,
	}}
}

// mapper returns a new one, for one goroutine.
func (m *mapping) mapper() *event.Mapper { return event.NewMapper(m.settings) }

// How much of an entry is mapped and delivered at a time. A reply of few bytes on the wire can hold millions of events, each of
// which takes half a kilobyte as a record, and an event can hold as many values. A normal reply is one part.
const (
	partEvents = 2000
	partBytes  = 1 << 20 // of the events as received; one that is larger is a part of its own
)

// parsed is a part of an entry as log records.
type parsed struct {
	logs   plog.Logs
	events int
	newest time.Time // of the events
	odd    map[string]int
}

// unpacking is an entry of the spool that is taken apart. Whatever it holds becomes a record: what cannot be read as an event is
// kept as it came. The identity of a record is the place of its event in the reply, because the events have none: two that are
// equal stay two, and a replay gives the same again.
type unpacking struct {
	entry *spool.Entry
	reply *event.Reply
	index int // of the next event
	held  event.Raw
	ended bool
}

func unpack(entry *spool.Entry) *unpacking {
	u := &unpacking{entry: entry, reply: &event.Reply{}}
	if entry.Meta[metaKind] != kindGap {
		u.reply = event.Decode(entry.Body, entry.Meta[metaContentType])
	}
	return u
}

// skip leaves out what was delivered before.
func (u *unpacking) skip(n int) {
	for u.index < n {
		if _, ok := u.next(); !ok {
			return
		}
	}
}

func (u *unpacking) next() (event.Raw, bool) {
	ev, ok := u.held, u.held != ""
	if u.held = ""; !ok {
		ev, ok = u.reply.Next()
	}
	if ok {
		u.index++
	}
	return ev, ok
}

// part maps the next events. The last part holds what is no event as well.
func (u *unpacking) part(m *mapping, mapper *event.Mapper) parsed {
	p := parsed{logs: plog.NewLogs(), odd: map[string]int{}}
	if u.entry.Meta[metaKind] == kindGap {
		m.appendGap(p.logs, u.entry)
		u.ended = true
		return p
	}
	for size := 0; p.events < partEvents; p.events++ {
		ev, ok := u.next()
		if !ok {
			break
		}
		if size += len(ev); size > partBytes && p.events > 0 {
			u.index--
			u.held = ev
			break
		}
		p.note(mapper.Append(p.logs, ev, uid(u.entry, u.index-1), u.entry.ReceivedAt))
	}
	p.newest = newest(p.logs)
	if u.held == "" && u.reply.Len() == 0 {
		u.ended = true
		if u.undecoded() != "" {
			m.appendUnparsed(p.logs, u.entry, u.index, u.reply.Problem)
		}
	}
	return p
}

// undecoded is why a part of the reply is no event, "" if all of it is.
func (u *unpacking) undecoded() event.Reason {
	if problem := u.reply.Problem; problem.Found() && len(problem.Rest) > 0 {
		return problem.Reason
	}
	return ""
}

func uid(entry *spool.Entry, index int) string { return fmt.Sprintf("%s-%03d", entry.ID, index) }

func (p *parsed) note(odd event.Oddities) {
	if odd == 0 {
		return
	}
	for flag, name := range oddities {
		if odd&flag != 0 {
			p.odd[name]++
		}
	}
}

var oddities = map[event.Oddities]string{
	event.UnknownType: "unknown_type", event.UnknownFields: "unknown_fields", event.NoTimestamp: "no_timestamp",
	event.NotUTF8:     "not_utf8",
	event.BadSeverity: "severity",
	event.FutureTime:  "future_time",

	event.TooManyValues: "too_many_values",
}

// newest is the time of the newest event in logs. One of the future says nothing about how far reading has come: it would hide
// from then on that nothing arrives.
func newest(logs plog.Logs) time.Time {
	var latest pcommon.Timestamp
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if !event.IsFuture(lr) {
					latest = max(latest, min(lr.Timestamp(), lr.ObservedTimestamp()))
				}
			}
		}
	}
	if latest == 0 {
		return time.Time{}
	}
	return latest.AsTime()
}

// appendUnparsed keeps the part of a reply that is no event.
func (m *mapping) appendUnparsed(logs plog.Logs, entry *spool.Entry, index int, problem event.Problem) {
	record := m.own(logs, eventUnparsed, uid(entry, index), entry.ReceivedAt)
	record.SetSeverityNumber(plog.SeverityNumberWarn)
	record.Attributes().PutStr(attrReason, string(problem.Reason))
	record.Attributes().PutBool(attrIncomplete, entry.Truncated)
	if utf8.Valid(problem.Rest) {
		record.Body().SetStr(string(problem.Rest))
	} else {
		record.Body().SetEmptyBytes().FromRaw(problem.Rest)
	}
}

// own adds a record of the receiver's own.
func (m *mapping) own(logs plog.Logs, name, id string, at time.Time) plog.LogRecord {
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", event.ServiceName)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(m.settings.ScopeName)
	sl.Scope().SetVersion(m.settings.ScopeVersion)
	record := sl.LogRecords().AppendEmpty()
	record.SetEventName(name)
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(at))
	record.Attributes().PutStr(attrUID, id)
	return record
}
