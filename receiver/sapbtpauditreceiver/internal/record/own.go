// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// OwnReading reports whether raw was caused by nothing but reading the audit log with the given client: SAP writes a
// record of every retrieval call and of every login for one (SAP-docs d888e5e), and the authorization service one of
// every token. The client id must be exactly the given one wherever the record names one. Failed logins are never own
// reading: they may be somebody else trying.
func OwnReading(raw *Raw, clientID string) bool {
	// A client id holds nothing that JSON must escape, so this spares most records the parsing.
	if clientID == "" || raw.Malformed || !strings.Contains(raw.Text, clientID) {
		return false
	}
	r := borrowReading()
	defer r.release()
	var ev event
	r.read(raw, &ev)
	user := firstPresent(ev.user, ev.innerUser)
	switch eventName(firstPresent(ev.category, ev.innerCategory)) {
	case eventDataAccess:
		return ev.object.Get("type").Str() == "data read event" && same(user, clientID) && ev.subjectIs(clientID)
	case eventSecurity:
		if ev.isUAA {
			return (ev.uaa.typ == "ClientAuthenticationSuccess" || ev.uaa.typ == "TokenIssuedEvent") &&
				ev.uaa.principal == clientID && same(ev.uaa.client, clientID) && ev.outcome() != failed
		}
		return user == clientID && ev.dataText == "successful login event"
	default:
		return false
	}
}

// subjectIs reports whether the event has exactly one data subject and its identifier is id.
func (ev *event) subjectIs(id string) bool {
	if ev.subjects.Len() > 0 || ev.subject.Get("id").Len() != 1 {
		return false
	}
	for part := range ev.subject.Get("id").Children() {
		return part.Kind() == jsonlog.String && part.Str() == id
	}
	return false
}

// same reports whether value is absent or exactly the one wanted.
func same(value, want string) bool {
	return value == "" || value == want
}
