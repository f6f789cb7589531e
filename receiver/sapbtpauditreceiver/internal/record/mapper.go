// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/hex"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// ScopeName is the instrumentation scope of the records, the receiver's import path.
const ScopeName = "github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver"

// Body is the form of the log body.
type Body string

// The forms.
const (
	// BodyMap is the event as a map, with the JSON that SAP sends inside of strings parsed in place.
	BodyMap Body = "map"
	// BodyString is the text of the record as received.
	BodyString Body = "string"
)

// Options of a [Mapper].
type Options struct {
	// Body is BodyMap if empty.
	Body Body
	// IncludeOriginal adds the record as received as log.record.original.
	IncludeOriginal bool
	// ScopeVersion is the receiver's version.
	ScopeVersion string
	// Region, SubaccountID and SubaccountName describe the resource; "" leaves an attribute out. SubaccountID also
	// stands in log.record.uid for the tenant of a record that names none.
	Region, SubaccountID, SubaccountName string
}

// Mapper makes log records of the records of one subaccount. It is safe for concurrent use.
type Mapper struct {
	opts Options
}

// NewMapper returns a Mapper.
func NewMapper(opts Options) *Mapper {
	return &Mapper{opts: opts}
}

// NewLogs returns logs with the subaccount's resource and the receiver's scope, and the place for records in them.
func (m *Mapper) NewLogs() (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	attrs := resource.Resource().Attributes()
	attrs.EnsureCapacity(4)
	attrs.PutStr(attrServiceName, serviceName)
	for _, a := range []struct{ key, value string }{
		{attrRegion, m.opts.Region},
		{attrSubaccountID, m.opts.SubaccountID},
		{attrSubaccountName, m.opts.SubaccountName},
	} {
		if a.value != "" {
			attrs.PutStr(a.key, a.value)
		}
	}
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(ScopeName)
	scope.Scope().SetVersion(m.opts.ScopeVersion)
	return logs, scope.LogRecords()
}

// Notes are what was noticed about a record.
type Notes struct {
	// Ambiguous says that a text in it may imitate parts of itself, so that what is in doubt has no attribute.
	Ambiguous bool
	// Redacted says that the value of a token was taken out of it.
	Redacted bool
	// NotUTF8 says that it holds bytes that are no text, which only the record as received has.
	NotUTF8 bool
}

// Append adds the log record of raw, which was read at the time observed. It cannot fail: what is not understood is in
// the body as it was.
func (m *Mapper) Append(dst plog.LogRecordSlice, raw *Raw, observed time.Time) Notes {
	r := borrowReading()
	defer r.release()
	text, redacted := redact(raw.Text)
	ev := &event{}
	r.begin(ev)
	if !raw.Malformed {
		known := raw.message
		if redacted {
			known = jsonlog.Known{} // it stands elsewhere now
		}
		r.read(text, known, ev)
	}
	notes := Notes{Ambiguous: ev.ambiguous, Redacted: redacted, NotUTF8: raw.Original != ""}

	rec := dst.AppendEmpty()
	rec.SetEventName(ev.name)
	rec.SetObservedTimestamp(pcommon.NewTimestampFromTime(observed))
	rec.SetTimestamp(pcommon.NewTimestampFromTime(eventTime(raw, ev, observed)))

	a := r.attributes(rec.Attributes())
	a.text(attrUID, m.uid(r, raw, ev))
	if m.opts.IncludeOriginal {
		asReceived(rec.Attributes().PutEmpty(attrOriginal), raw, text)
	}
	given := r.describe(raw, ev, a)
	number, severity := severityOf(given.went, ev.level)
	rec.SetSeverityNumber(number)
	rec.SetSeverityText(severity)
	rec.SetDroppedAttributesCount(a.dropped)

	if m.opts.Body == BodyString || ev.root.Len() == 0 {
		asReceived(rec.Body(), raw, text)
	} else {
		ev.root.WriteTo(rec.Body())
	}
	return notes
}

// asReceived writes a record without a change but for its tokens: as text, or as bytes if it is not valid UTF-8.
func asReceived(dst pcommon.Value, raw *Raw, text string) {
	if raw.Original == "" {
		dst.SetStr(text)
		return
	}
	original, _ := redact(raw.Original)
	dst.SetEmptyBytes().FromRaw([]byte(original))
}

func eventTime(raw *Raw, ev *event, observed time.Time) time.Time {
	if !raw.Time.IsZero() {
		return raw.Time
	}
	if inner := parseTime(ev.innerTime); !inner.IsZero() {
		return inner
	}
	return observed
}

// Digits of the Key in log.record.uid: enough to tell apart the few records that share a message_uuid, and all there are
// where the Key is the only identity.
const (
	shortDigits = 12
	allDigits   = 2 * len(Key{})
)

// uid is <message_uuid>@<tenant>#<digits of the Key>. The same event has the same one whenever it is read, another event
// never has it.
func (m *Mapper) uid(r *reading, raw *Raw, ev *event) string {
	var digits [allDigits]byte
	hex.Encode(digits[:], raw.Key[:])
	n := shortDigits
	if raw.UUID == "" {
		n = allDigits
	}
	tenant := firstPresent(ev.tenant, ev.innerTenant, m.opts.SubaccountID)
	return r.arena.Join(raw.normalUUID, "@", tenant, "#", string(digits[:n]))
}
