// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

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
	attrClient       = "client.address"
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
	FutureTime                         // the time is more than MaxAhead after the observed one; the record has it all the same
)

// MaxAhead is how far the time of an event may lie after the time at which it
// was received: as far as the vendor's clock and this machine's may differ.
const MaxAhead = 5 * time.Minute

// Mapper turns events into log records. It is for one goroutine at a time.
type Mapper struct {
	settings Settings
	doc      jsonlog.Doc
	values   [len(fieldNames)]jsonlog.Node
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
	record.SetSeverityNumber(severity(m.values[fieldSeverity]))

	attrs := record.Attributes()
	attrs.EnsureCapacity(8 + m.doc.Root().Len())
	attrs.PutStr(attrUID, uid)
	m.putCommon(attrs)
	m.putFields(attrs)
	if m.settings.IncludeOriginal {
		asReceived(attrs.PutEmpty(attrOriginal), ev)
	}
	if m.settings.BodyString || m.doc.Root().Kind() == jsonlog.None {
		asReceived(record.Body(), ev)
	} else {
		m.doc.Root().WriteTo(record.Body())
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
	var odd Oddities
	text := string(ev)
	if !utf8.ValidString(text) {
		odd = NotUTF8
		text = jsonlog.Text([]byte(ev))
	}
	// Decode only returns JSON. Of anything else no field is found, and Append
	// keeps it as text.
	_ = m.doc.Parse(text)
	for child := range m.doc.Root().Children() {
		if f, ok := fieldByName[child.Key()]; ok {
			m.values[f] = child
		} else {
			odd |= UnknownFields
		}
	}
	return odd
}

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
		if user := m.values[f].Str(); user != "" {
			key := attrUserName
			if strings.Contains(user, "@") {
				key = attrUserEmail
			}
			attrs.PutStr(key, user)
			break
		}
	}
	putText(attrs, attrSource, m.values[fieldSourceIP])
	putText(attrs, attrClient, m.values[fieldIP])
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
