// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/audit"
)

// answers are the six that every event gives as far as it knows: who, what kind of who, what, to whom, how it went, from
// where. "" is no answer.
type answers struct {
	actorID, actorIDP, actorType string
	action                       string
	targetType, targetID         string
	went                         outcome
	client                       audit.Endpoint
}

// The values of audit.actor.type.
const (
	actorUser    = audit.User
	actorService = audit.Service
	actorSystem  = audit.System
)

func (f *facts) answer() (a answers) {
	a.went = f.outcome()
	var k kind
	if f.uaa.typ == "" {
		k = kindOf(f.objectKind())
	}
	a.action = f.action(k)
	a.targetType, a.targetID = f.target(k)
	f.actor(&a)
	if a.action == actionLogin && a.targetType == "" {
		a.targetLogin()
	}
	a.client = f.client()
	return a
}

// targetLogin makes the account that logged in the target, where nothing else is named.
func (a *answers) targetLogin() {
	switch a.actorType {
	case actorUser:
		a.targetType, a.targetID = targetUser, a.actorID
	case actorService:
		a.targetType, a.targetID = targetClient, a.actorID
	}
}

// client is the address that the message names. If that is private, so that a gateway's or a service's own, the one in the authorization
// service's line or in data comes first.
func (f *facts) client() audit.Endpoint {
	at := audit.ClientOf(f.ip)
	if at.Address != "" && !at.Private {
		return at
	}
	for _, text := range [...]string{f.uaa.origin.remoteAddress, f.in.address} {
		if text == "" {
			continue
		}
		if other := audit.ClientOf(text); other.Address != "" {
			return other
		}
	}
	if at.Address == "" && audit.IsHostName(f.ip) {
		at.Address = f.ip
	}
	return at
}

func (f *facts) action(k kind) string {
	if f.uaa.typ != "" {
		if f.uaa.kind.action != "" {
			return f.uaa.kind.action
		}
		return actionOf(f.uaa.typ)
	}
	if f.in.isMalware() {
		return actionDetectMalware
	}
	crud := actionOf(firstPresent(f.id.crud, f.in.crud))
	if k.action == actionAssign || strings.HasSuffix(f.in.typ, "assignment") {
		return assignment(crud)
	}
	if k.action != "" {
		return k.action
	}
	for _, action := range [...]string{actionOf(f.in.action), crud, actionOf(f.in.typ)} {
		if action != "" {
			return action
		}
	}
	if p := proseOf(firstPresent(f.text, f.in.text)); p != nil {
		return p.action
	}
	switch f.name {
	case eventDataAccess:
		return actionRead
	case eventDataModification, eventConfiguration:
		return actionUpdate
	default:
		return ""
	}
}

// assignment is what the change of an assignment means to the one who gets it.
func assignment(crud string) string {
	if crud == actionDelete {
		return actionUnassign
	}
	return actionAssign
}

// objectKind is the type of the object that was touched, in the producer's word.
func (f *facts) objectKind() string {
	return firstPresent(f.objectType, f.id.table, f.in.objectType, f.in.entity)
}

func (f *facts) target(k kind) (typ, id string) {
	switch {
	case f.uaa.typ != "":
		return f.uaaTarget()
	case f.in.isMalware():
		return targetDevSpace, firstPresent(f.in.devSpace, f.in.workspace)
	case strings.HasSuffix(f.in.typ, "assignment"):
		return targetUser, cleanName(f.in.user)
	}
	typ = k.target
	switch typ {
	case "":
		return f.proseTarget()
	case targetRoleCollection:
		id = firstPresent(f.id.collection, f.id.name, f.change.name)
	case targetRole:
		id = firstPresent(f.id.role, f.id.name, f.change.name)
	case targetUser:
		id = firstPresent(f.change.userName, f.in.identifier, f.id.name, f.id.user)
	case targetArtifact:
		id = firstPresent(f.change.symbolicName, f.id.name)
	case targetApplication:
		id = f.in.provider
	}
	if id == "" {
		id = firstPresent(f.id.name, f.id.collection, f.id.role, f.id.id, f.id.user, f.in.objectID)
	}
	if id == "" {
		if f.id.others == 1 {
			id = f.id.other
		} else if f.objectType != "" {
			id = f.change.name
		}
	}
	return typ, id
}

// proseTarget is what the known texts name, or what was to be accessed.
func (f *facts) proseTarget() (typ, id string) {
	text := firstPresent(f.text, f.in.text)
	if p := proseOf(text); p != nil && p.target != "" {
		if p.ends != "" {
			id = strings.TrimSpace(text[len(p.begins) : len(text)-len(p.ends)])
		}
		return p.target, id
	}
	if id = firstPresent(f.in.devSpace, f.in.workspace); id != "" {
		return targetDevSpace, id
	}
	if id = cleanName(f.in.identifier); id != "" {
		return targetUser, id
	}
	return "", ""
}

func (f *facts) uaaTarget() (typ, id string) {
	ev := &f.uaa
	k := ev.kind
	if k.action == "" {
		return "", ""
	}
	typ = k.target
	switch {
	case ev.typ == "TokenIssuedEvent":
		id = firstPresent(f.said.client, ev.origin.client)
	case k.named && !ev.ownText:
		id = ev.text
	case k.named:
		id = firstPresent(f.said.name, f.said.id)
	}
	if id = firstPresent(id, ev.principal); isPlaceholder(id) {
		return typ, ""
	}
	return typ, id
}

// cleanName is the name without the prefix of its kind, "" for a placeholder.
func cleanName(name string) string {
	id, _, _ := splitUser(name)
	return id
}
