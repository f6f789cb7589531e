// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/audit"
	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// Attributes of the records, beside saas_security.<field>.
const (
	attrServiceName  = "service.name"
	attrTenant       = "saas_security.tenant"
	attrUID          = "log.record.uid"
	attrOriginal     = "log.record.original"
	attrUserName     = "user.name"
	attrUserEmail    = "user.email"
	attrSource       = "source.address"
	attrFileName     = "file.name"
	attrSecurityRule = "security_rule.name"

	// ServiceName is the value of service.name of all records.
	ServiceName = "saas-security"
)

// Settings of a [Mapper].
type Settings struct {
	// BodyString makes the body the text of the event as received instead of
	// a map.
	BodyString bool
	// IncludeOriginal adds that text as log.record.original.
	IncludeOriginal bool
	// ScopeName and ScopeVersion of the records.
	ScopeName, ScopeVersion string
}

// Oddities say how an event differs from what is documented. None of them keeps
// an event from being mapped.
type Oddities uint8

// The oddities.
const (
	UnknownType   Oddities = 1 << iota // log_type is missing or undocumented
	UnknownFields                      // there are undocumented fields; they are in the body
	NoTimestamp                        // there is no readable time; the record has the observed one
	NotUTF8                            // there are bytes that are no text; only the event as received has them
	BadSeverity                        // there is a severity that is no level; the record has none
	FutureTime                         // the time is more than MaxAhead after the observed one; the record has it all the same
	TooManyValues                      // there are more than jsonlog.MaxNodes values; what exceeds that is text
)

// MaxAhead is how far the time of an event may lie after the time at which it
// was received: as far as the vendor's clock and this machine's may differ.
const MaxAhead = 5 * time.Minute

// Mapper turns events into log records. It is for one goroutine at a time.
type Mapper struct {
	settings Settings
	doc      jsonlog.Doc
	inside   jsonlog.Doc // of a string
	values   [len(fieldNames)]jsonlog.Node
	present  int                            // values that say something
	result   said                           // what undocumented fields say of how it went
	dst      plog.Logs                      // of the event before
	tenants  map[string]plog.LogRecordSlice // the lists in dst
}

// NewMapper returns a Mapper.
func NewMapper(settings Settings) *Mapper {
	return &Mapper{settings: settings, tenants: map[string]plog.LogRecordSlice{}}
}

// Append adds the record of an event to the logs, below the resource of its
// tenant. The identity of the event and the time at which it was received come
// from the caller.
func (m *Mapper) Append(dst plog.Logs, ev Raw, uid string, observed time.Time) Oddities {
	odd := m.read(ev)
	record := m.records(dst, m.values[fieldSerial].Scalar()).AppendEmpty()

	logType := m.values[fieldLogType].Str()
	name, known := eventName(logType)
	if !known {
		odd |= UnknownType
	}
	record.SetEventName(name)
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(observed))
	at, ok := m.time(name)
	if !ok {
		odd |= NoTimestamp
		at = record.ObservedTimestamp()
	}
	record.SetTimestamp(at)
	if IsFuture(record) {
		odd |= FutureTime
	}
	given := m.answer(name)
	odd |= m.grade(record, &given)

	attrs := record.Attributes()
	attrs.EnsureCapacity(11 + m.present)
	attrs.PutStr(attrUID, uid)
	given.describe(attrs)
	m.putCommon(attrs)
	m.putFields(attrs)
	if m.settings.IncludeOriginal {
		asReceived(attrs.PutEmpty(attrOriginal), ev)
	}
	if m.settings.BodyString || m.doc.Root().Kind() == jsonlog.None || tooLarge(&m.doc) {
		asReceived(record.Body(), ev)
	} else {
		m.doc.Root().WriteTo(record.Body())
	}
	return odd
}

// grade sets the severity: the event's, but at least WARN for a failure.
func (m *Mapper) grade(record plog.LogRecord, given *answers) (odd Oddities) {
	value := m.values[fieldSeverity]
	number, ok := severity(value)
	if !ok {
		odd = BadSeverity
	}
	if given.outcome == audit.Failure {
		number = max(number, plog.SeverityNumberWarn)
	}
	record.SetSeverityNumber(number)
	if value.Kind() == jsonlog.String {
		if _, isNumber := numberOf(value); !isNumber {
			record.SetSeverityText(value.Str())
		}
	}
	return odd
}

// IsFuture reports whether the time of an event is one that was still to come
// when it was received.
func IsFuture(record plog.LogRecord) bool {
	return record.Timestamp() > record.ObservedTimestamp()+pcommon.Timestamp(MaxAhead)
}

// asReceived writes an event without a change, as bytes if it is no text.
func asReceived(dst pcommon.Value, ev Raw) {
	if utf8.ValidString(string(ev)) {
		dst.SetStr(string(ev))
	} else {
		dst.SetEmptyBytes().FromRaw([]byte(ev))
	}
}

// read finds the documented fields of an event.
func (m *Mapper) read(ev Raw) Oddities {
	clear(m.values[:])
	m.result, m.present = said{}, 0
	var odd Oddities
	text := string(ev)
	if !utf8.ValidString(text) {
		odd = NotUTF8
		text = jsonlog.Text([]byte(ev))
	}
	// Decode only returns JSON. Of anything else no field is found, and Append
	// keeps it as text.
	_ = m.doc.Parse(text)
	root := m.doc.Root()
	large := tooLarge(&m.doc)
	if m.doc.Full() {
		odd |= TooManyValues
	}
	if root.Kind() == jsonlog.String && !large { // JSON as the text of a string
		m.inside = jsonlog.Doc{} // Expand leaves it as it was if there is none
		if inner := root.Expand(&m.inside); inner.Kind() == jsonlog.Object {
			root = inner
		}
		text, large = root.Str(), tooLarge(&m.inside)
		if m.inside.Full() {
			odd |= TooManyValues
		}
	}
	if large {
		members, unknown := plainMembers(text)
		_ = m.inside.Parse(members)
		root = m.inside.Root()
		odd |= unknown
	}
	odd |= m.take(root)
	if m.values[fieldLogType].Kind() != jsonlog.None {
		return odd
	}
	if inner := wrapped(root, maxWrappers); inner.Kind() != jsonlog.None {
		clear(m.values[:])
		odd |= m.take(inner)
	}
	return odd
}

// maxWrappers is how many objects around an event are looked through.
const maxWrappers = 4

// wrapped is the event that stands in a wrapper of its own, if any.
func wrapped(object jsonlog.Node, most int) jsonlog.Node {
	if object.Kind() != jsonlog.Object || most == 0 {
		return jsonlog.Node{}
	}
	for child := range object.Children() {
		if child.Kind() == jsonlog.Object && child.Get(keyLogType).Kind() != jsonlog.None {
			return child
		}
	}
	for child := range object.Children() {
		if inner := wrapped(child, most-1); inner.Kind() != jsonlog.None {
			return inner
		}
	}
	return jsonlog.Node{}
}

// take takes the fields of an object.
func (m *Mapper) take(object jsonlog.Node) (odd Oddities) {
	for child := range object.Children() {
		if f, ok := fieldByName[child.Key()]; ok {
			m.values[f] = child
			if !absent(child) {
				m.present++
			}
			continue
		}
		odd |= UnknownFields
		if results[child.Key()] {
			s := read(child.Scalar())
			m.result.ok, m.result.fails = m.result.ok || s.ok, m.result.fails || s.fails
		}
	}
	return odd
}

// results are names of fields that say how it went. None is documented.
var results = map[string]bool{"success": true, "successful": true, "outcome": true, "result": true, "status": true, "action_status": true}

// time of the event. Behaviour threats have it in date; their timestamp is when
// they were published.
func (m *Mapper) time(name string) (pcommon.Timestamp, bool) {
	if name == namePrefix+typeBehaviourThreat {
		if at, ok := timestamp(m.values[fieldDate]); ok {
			return at, true
		}
	}
	return timestamp(m.values[fieldTimestamp])
}

// putCommon adds what has a name in the semantic conventions.
func (m *Mapper) putCommon(attrs pcommon.Map) {
	for _, f := range [...]field{fieldUser, fieldAdminID, fieldUserEmail} {
		if user := m.values[f].Str(); user != "" && !audit.IsPlaceholder(user) {
			key := attrUserName
			if strings.Contains(user, "@") {
				key = attrUserEmail
			}
			attrs.PutStr(key, user)
			break
		}
	}
	putText(attrs, attrSource, m.values[fieldSourceIP])
	if strings.EqualFold(m.values[fieldItemType].Str(), "file") {
		putText(attrs, attrFileName, m.values[fieldItemName])
	}
	putText(attrs, attrSecurityRule, m.values[fieldPolicyRuleName])
}

func (m *Mapper) putFields(attrs pcommon.Map) {
	for f := range m.values {
		value := m.values[f]
		if !absent(value) {
			counts := field(f) == fieldSeverity || field(f) == fieldOccurrences
			putField(attrs.PutEmpty(attributeNames[f]), value, counts)
		}
	}
}

func putText(attrs pcommon.Map, key string, n jsonlog.Node) {
	if text := n.Str(); text != "" {
		attrs.PutStr(key, text)
	}
}

// records is the list for a tenant.
func (m *Mapper) records(dst plog.Logs, tenant string) plog.LogRecordSlice {
	if dst != m.dst {
		m.dst = dst
		clear(m.tenants)
	}
	if known, ok := m.tenants[tenant]; ok {
		return known
	}
	rl := dst.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(attrServiceName, ServiceName)
	if tenant != "" { // the event names one
		rl.Resource().Attributes().PutStr(attrTenant, tenant)
	}
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(m.settings.ScopeName)
	sl.Scope().SetVersion(m.settings.ScopeVersion)
	m.tenants[strings.Clone(tenant)] = sl.LogRecords()
	return sl.LogRecords()
}
