// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/audit"
)

// actor finds who did it. Where the authorization service or a producer names somebody in a place of its own, that counts before the record's
// user, which is then the service that wrote it.
func (f *facts) actor(a *answers) {
	switch {
	case f.uaa.typ != "":
		if f.uaaActor(a) {
			return
		}
	case f.change.deployedBy != "" && a.targetType == targetArtifact:
		if a.setActor(f.change.deployedBy) {
			return
		}
	}
	if a.setActor(f.user) || a.action == actionLogin && a.went != succeeded {
		return // who fails to log in has not shown who it is
	}
	for _, name := range [...]string{f.in.caller, f.in.startedBy, f.loggedIn(a), f.in.user} {
		if a.setActor(name) {
			return
		}
	}
}

// loggedIn is the user whom a login is about.
func (f *facts) loggedIn(a *answers) string {
	if a.action == actionLogin {
		return f.in.identifier
	}
	return ""
}

func (f *facts) uaaActor(a *answers) bool {
	ev := &f.uaa
	if ev.ambiguous {
		return false
	}
	switch a.action {
	case actionLogin:
		if a.went != succeeded {
			return false
		}
		if a.targetType == targetClient {
			return a.setName(a.targetID, actorService)
		}
		return a.setName(a.targetID, actorUser)
	case actionIssueToken:
		return a.setName(firstPresent(f.said.user, ev.origin.user), actorUser) ||
			a.setName(firstPresent(f.said.client, ev.origin.client, ev.origin.caller), actorService)
	}
	return a.setName(ev.origin.user, actorUser) || a.setName(ev.origin.caller, "") || a.setName(ev.origin.client, actorService)
}

// setActor takes a name as SAP writes it, unless it is a placeholder.
func (a *answers) setActor(name string) bool {
	if name == "" {
		return false
	}
	id, idp, typ := splitUser(name)
	if id == "" {
		return false
	}
	a.actorID, a.actorIDP, a.actorType = id, idp, typ
	return true
}

// setName takes a name that stands alone, unless it is a placeholder. Without a type its form tells it, if it can.
func (a *answers) setName(name, typ string) bool {
	if isPlaceholder(name) {
		return false
	}
	if typ == "" {
		typ = typeOfName(name)
	}
	a.actorID, a.actorType = name, typ
	return true
}

// splitUser reads a name as SAP writes it: user/<identity provider>/<name>, client/<client>, or the name alone. The id is ""
// for a placeholder. The type is "" where the form does not tell it.
func splitUser(name string) (id, idp, typ string) {
	id = strings.TrimSpace(name)
	if id != "" && id[0] == '{' {
		id = userIn(id)
	}
	if rest, ok := strings.CutPrefix(id, "user/"); ok {
		if before, after, ok := strings.Cut(rest, "/"); ok && after != "" {
			id, idp, typ = after, before, actorUser
		}
	} else if rest, ok := strings.CutPrefix(id, "client/"); ok {
		id, typ = rest, actorService
	}
	if isPlaceholder(id) {
		return "", "", ""
	}
	if typ == "" {
		typ = typeOfName(id)
	}
	return id, idp, typ
}

// userIn is the user whom some producers write as an object.
func userIn(text string) (name string) {
	scanMembers(text, func(key, value string) {
		switch key {
		case "user", "user_name", "userName", "name", "email", "mail", "id":
			name = firstPresent(name, value)
		}
	})
	return name
}

// typeOfName tells a client of the authorization service (sb-…, …!b12), a mail address, and an id of Cloud Identity Services (P000042).
func typeOfName(id string) string {
	switch {
	case strings.HasPrefix(id, "sb-") || isInstance(id):
		return actorService
	case strings.IndexByte(id, '@') > 0:
		return actorUser
	case strings.EqualFold(id, "system"):
		return actorSystem
	case len(id) >= 7 && strings.IndexByte("CDIPS", id[0]) >= 0 && strings.Trim(id[1:], "0123456789") == "":
		return actorUser
	default:
		return ""
	}
}

// isInstance reports whether a name ends like that of a service instance's client: !b or !t and a number.
func isInstance(id string) bool {
	base := strings.TrimRight(id, "0123456789")
	return len(base) < len(id) && (strings.HasSuffix(base, "!b") || strings.HasSuffix(base, "!t"))
}

// isPlaceholder reports whether producers write this where there is no user.
func isPlaceholder(id string) bool { return present(id) == "" || audit.IsPlaceholder(id) }
