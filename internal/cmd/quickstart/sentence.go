// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// sentence is an event for a person to read.
type sentence struct {
	at     time.Time
	source string
	event  string // what kind of event
	user   string
	what   string // what happened
	bad    bool   // it failed
	times  int    // how often just this happened lately
}

func describe(sourceName string, r plog.LogRecord) sentence {
	a := r.Attributes()
	s := sentence{
		at:     r.Timestamp().AsTime(),
		source: sourceName,
		event:  strings.ReplaceAll(category(r.EventName()), "_", " "),
		user:   person(firstText(a, "user.name", "user.email")),
		bad:    r.SeverityNumber() >= plog.SeverityNumberWarn,
		times:  1,
	}
	switch {
	case text(a, auditPrefix+"event_type") != "":
		s.what = happened(a)
	case text(a, auditPrefix+"object.type") != "":
		s.what = touched(category(r.EventName()), a)
	default:
		s.what = firstText(a, "saas_security.incident_category", "saas_security.item_name", "file.name", auditPrefix+"data.message")
		if s.what == "" {
			s.what = told(r.Body())
		}
	}
	s.user, s.what = printable(s.user), printable(s.what)
	return s
}

const auditPrefix = "sap.btp.audit."

// happened reads what UAA reports: a type in camel case, a reason, an address.
func happened(a pcommon.Map) string {
	what := words(strings.TrimSuffix(text(a, auditPrefix+"event_type"), "Event"))
	if address := firstText(a, auditPrefix+"origin.remote_address", "client.address"); address != "" {
		what += " from " + address
	}
	if why := text(a, auditPrefix+"detailed_description"); why != "" {
		what += ": " + why
	}
	return what
}

// touched reads what was done to an object.
func touched(kind string, a pcommon.Map) string {
	verb := "used"
	switch kind {
	case "configuration_change", "data_modification":
		verb = "changed"
	case "data_access":
		verb = "read"
	}
	if crud := text(a, auditPrefix+"object.id.crudType"); crud != "" {
		verb = strings.ToLower(crud)
	}
	object := text(a, auditPrefix+"object.type")
	if object == "data read event" { // what the reading itself causes
		object = "the audit log"
	}
	what := verb + " " + object
	const ids = auditPrefix + "object.id."
	if id := firstText(a, ids+"rolecollection_name", ids+"name", ids+"entity", ids+"id", ids+"ID"); id != "" {
		what += " " + id
	}
	if names, ok := a.Get(auditPrefix + "attribute.names"); ok && names.Type() == pcommon.ValueTypeSlice && names.Slice().Len() > 1 {
		list := make([]string, 0, names.Slice().Len())
		for _, name := range names.Slice().All() {
			list = append(list, name.AsString())
		}
		what += ": " + strings.Join(list, ", ")
	}
	if text(a, auditPrefix+"success") == "false" {
		what += " (refused)"
	}
	return what
}

// told looks for a text in the body.
func told(body pcommon.Value) string {
	if body.Type() != pcommon.ValueTypeMap {
		return body.AsString()
	}
	for _, key := range []string{"message", "data", "action", "event", "type"} {
		if v, ok := body.Map().Get(key); ok && v.AsString() != "" {
			return told(v)
		}
	}
	return body.AsString()
}

// person shortens the forms in which a user is named.
func person(name string) string {
	if strings.HasPrefix(name, "{") {
		var user struct {
			Name string `json:"user_name"`
		}
		if json.Unmarshal([]byte(name), &user) == nil && user.Name != "" {
			return user.Name
		}
	}
	if strings.HasPrefix(name, "user/") {
		return name[strings.LastIndexByte(name, '/')+1:]
	}
	return name
}

func firstText(a pcommon.Map, keys ...string) string {
	for _, key := range keys {
		if v := text(a, key); v != "" {
			return v
		}
	}
	return ""
}

// words turns camel case into words.
func words(camel string) string {
	var b strings.Builder
	for i, r := range camel {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// printable keeps what others wrote into events from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, s)
}
