// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-audit/otelcol-audit/internal/audit"
	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// answers are the six that an event gives as far as it knows. "" is no answer.
type answers struct {
	actorID, actorType   string
	action               string
	targetType, targetID string
	owner                string
	outcome              string
	client               audit.Endpoint
}

// answer makes the answers of the fields of an event. name is that of its type.
func (m *Mapper) answer(name string) (a answers) {
	a.owner = m.person(fieldItemOwnerEmail, fieldItemOwner)
	a.client = m.client()
	did := read(m.text(fieldAction))
	done := read(m.text(fieldActionTaken))
	a.action = firstOf(did.action, done.action)
	switch name {
	case namePrefix + typeActivity:
		a.actorID, a.actorType = m.person(fieldUser, fieldUserEmail), audit.User
		a.happened(did.fails || blocks(did), m.text(fieldAction) != "")
	case namePrefix + typeAdmin:
		a.actorID, a.actorType = m.person(fieldAdminID, fieldUser), audit.User
		if a.action == "" && read(m.text(fieldEventType)).action == actionLogin {
			a.action = actionLogin
		}
		a.happened(did.fails || blocks(did), a.action != "" || m.text(fieldAction) != "")
	case namePrefix + typeIncident:
		a.acted(m)
		a.happened(done.fails, m.text(fieldActionTaken) != "")
		a.action = firstOf(m.malware(), a.action, actionDetectIncident)
	case namePrefix + typeViolation:
		a.acted(m)
		a.happened(done.fails, m.text(fieldActionTaken) != "")
		a.action = firstOf(a.action, actionDetectBreach)
	case namePrefix + typeRemediation:
		a.acted(m)
		a.happened(did.fails || done.fails, m.text(fieldActionTaken) != "" || m.text(fieldAction) != "")
	case namePrefix + typeBehaviourThreat:
		a.actorID, a.actorType = m.person(fieldUserEmail, fieldUser), audit.User
		a.action = actionDetectThreat
		a.targetType, a.targetID = audit.User, a.actorID
	default:
		a.actorID, a.actorType = m.person(fieldUser, fieldAdminID, fieldUserEmail), audit.User
		if a.actorID == "" {
			a.acted(m)
		}
		a.happened(did.fails || done.fails, did.ok || done.ok)
	}
	a.told(m.result)
	a.target(m)
	if a.action == actionLogin && a.outcome == audit.Failure {
		a.actorID = "" // who fails to log in has not shown who it is
	}
	if a.outcome == "" {
		a.outcome = audit.Unknown
	}
	if a.actorID == "" {
		a.actorType = ""
	}
	return a
}

// happened says how it went: an event that tells of something tells that it was
// done, unless it says otherwise.
func (a *answers) happened(fails, tells bool) {
	switch {
	case fails:
		a.outcome = audit.Failure
	case tells:
		a.outcome = audit.Success
	}
}

// told takes what the event says of its result itself.
func (a *answers) told(result said) {
	switch {
	case result.fails:
		a.outcome = audit.Failure
	case result.ok && a.outcome != audit.Failure:
		a.outcome = audit.Success
	}
}

func blocks(s said) bool { return s.action == "block" }

// automata are what the vendor writes where its policies acted and nobody.
var automata = [...]string{"Aperture", "Prisma SaaS", "SaaS Security", "SaaS Security API", "Data Security", "System", "Automated", "Auto"}

// acted takes who did something about an item. Its owner did not.
func (a *answers) acted(m *Mapper) {
	a.actorID, a.actorType = m.person(fieldActionTakenBy), audit.User
	for _, automaton := range automata {
		if len(a.actorID) == len(automaton) && strings.EqualFold(a.actorID, automaton) {
			a.actorType = audit.System
		}
	}
}

// malware is the action of an incident whose item is.
func (m *Mapper) malware() string {
	switch strings.ToLower(m.text(fieldItemVerdict)) {
	case "malware", "malicious":
		return actionDetectMalware
	}
	return ""
}

// targetTypes are the words for types of items; others keep the vendor's own in
// snake case.
var targetTypes = map[string]string{
	"file": "file", "File": "file", "FILE": "file", "folder": "folder", "Folder": "folder", "user": audit.User, "User": audit.User,
	"apps": "application", "app": "application", "content_policy": "policy", "general_settings": "settings",
}

// target is the account of a login; else the item, by its id or, if it has none,
// its name; else what it was done to; else the incident.
func (a *answers) target(m *Mapper) {
	itemType := typeOf(m.text(fieldItemType))
	switch {
	case a.targetID != "":
		return
	case a.action == actionLogin || a.action == actionLogout:
		a.targetType = audit.User
		if itemType == audit.User {
			a.targetID = m.person(fieldItemName)
		}
		a.targetID = firstOf(a.targetID, a.actorID)
		return
	}
	a.targetType, a.targetID = itemType, firstOf(m.text(fieldAssetID), m.text(fieldItemUniqueID), m.text(fieldItemName))
	if a.targetID == "" {
		a.targetType, a.targetID = typeOf(m.text(fieldTargetType)), m.text(fieldTargetName)
	}
	if a.targetID == "" {
		if a.targetID = m.text(fieldIncidentID); a.targetID != "" {
			a.targetType = "incident"
		} else {
			a.targetType = itemType
		}
	}
	if a.targetType == audit.User && audit.IsPlaceholder(a.targetID) {
		a.targetID = ""
	}
}

func typeOf(word string) string {
	if typ := targetTypes[word]; typ != "" || word == "" {
		return typ
	}
	snake := snakeCase(word)
	return firstOf(targetTypes[snake], snake)
}

// client is the first address that means something outside of its own network,
// else the first one.
func (m *Mapper) client() (at audit.Endpoint) {
	for _, f := range [...]field{fieldSourceIP, fieldIP, fieldRemoteAddress} {
		text := m.values[f].Str()
		if text == "" {
			continue
		}
		found := audit.ClientOf(text)
		if found.Address == "" && audit.IsHostName(text) {
			found = audit.Endpoint{Address: text, Private: true}
		}
		if found.Address != "" && (at.Address == "" || at.Private && !found.Private) {
			at = found
		}
	}
	return at
}

// person is the first of the fields that names somebody.
func (m *Mapper) person(fields ...field) string {
	for _, f := range fields {
		if name := m.text(f); name != "" && !audit.IsPlaceholder(name) {
			return name
		}
	}
	return ""
}

// text is a field that is text or a number, without blanks around it.
func (m *Mapper) text(f field) string {
	if k := m.values[f].Kind(); k == jsonlog.String || k == jsonlog.Number {
		return strings.TrimSpace(m.values[f].Scalar())
	}
	return ""
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (a *answers) describe(attrs pcommon.Map) {
	put(attrs, audit.ActorID, a.actorID)
	put(attrs, audit.ActorType, a.actorType)
	put(attrs, audit.Action, a.action)
	put(attrs, audit.TargetType, a.targetType)
	put(attrs, audit.TargetID, a.targetID)
	put(attrs, audit.TargetOwner, a.owner)
	put(attrs, audit.Outcome, a.outcome)
	put(attrs, audit.ClientAddress, a.client.Address)
	if a.client.Port != 0 {
		attrs.PutInt(audit.ClientPort, a.client.Port)
	}
}

func put(attrs pcommon.Map, key, value string) {
	if value != "" {
		attrs.PutStr(key, value)
	}
}
