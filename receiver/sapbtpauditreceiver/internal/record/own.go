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
	ev := &event{}
	r.begin(ev)
	r.read(raw.Text, raw.message, ev)
	switch ev.name {
	case eventDataAccess:
		return ev.objectType == "data read event" && same(ev.user, clientID) && ev.subjectIs(clientID)
	case eventSecurity:
		if ev.uaa.typ != "" {
			return !ev.ambiguous && ev.outcome() != failed && ev.isOwnLine(clientID)
		}
		return ev.user == clientID && ev.text == "successful login event"
	default:
		return false
	}
}

// isOwnLine reports whether a line of the authorization service tells of the client's own login or token. Of a token's
// claims it needs those that were not cut off to say that no user has part in it.
func (ev *event) isOwnLine(clientID string) bool {
	line, said := &ev.uaa, &ev.said
	for _, name := range []string{line.origin.client, line.origin.caller, said.client} {
		if !same(name, clientID) {
			return false
		}
	}
	if line.origin.user != "" || line.origin.plain != "" && line.origin.plain != clientID {
		return false
	}
	switch line.typ {
	case "ClientAuthenticationSuccess":
		return line.principal == clientID
	case "TokenIssuedEvent":
		if said.user != "" || said.grant != "" && said.grant != grantClient {
			return false
		}
		if said.client == clientID && said.grant == grantClient {
			return true
		}
		return !line.cut && line.principal == clientID
	default:
		return false
	}
}

// grantClient is the grant of a token that a client gets for itself.
const grantClient = "client_credentials"

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
