// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// uaaEvent is what a log line of the authorization service (UAA, XSUAA) says:
//
//	Type ('text'): principal=P, origin=[remoteAddress=A, clientId=C, sessionId=S], identityZoneId=[Z], authenticationType=[T], detailedDescription=[D]
//
// where user and client may stand in the origin, and what follows the zone may be missing. Values are as written.
type uaaEvent struct {
	typ, text, principal                string
	remoteAddress, client, user, zone   string
	authenticationType, detailedMessage string
}

// parseUAA reads a line of the authorization service. Text and principal of failed logins are what an unknown person
// typed, so they may imitate the parts that follow. If a part's beginning is there twice, only the type, which nobody but
// the service writes, is taken.
func parseUAA(line string) (ev uaaEvent, ok bool) {
	n := 0
	for n < len(line) && (isLower(line[n]) || isUpper(rune(line[n])) || isDigit(line[n]) || line[n] == '_') {
		n++
	}
	rest, ok := strings.CutPrefix(line[n:], " ('")
	if !ok || n == 0 || !strings.Contains(rest, "'): principal=") {
		return uaaEvent{}, false
	}
	ev.typ = line[:n]
	full := ev
	text, rest, ok1 := cutOnce(rest, "'): principal=")
	principal, rest, ok2 := cutOnce(rest, ", origin=[")
	origin, rest, ok3 := cutOnce(rest, "], identityZoneId=[")
	zone, rest, ok4 := strings.Cut(rest, "]")
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return ev, true
	}
	full.text, full.principal, full.zone = text, uaaValue(principal), uaaValue(zone)
	full.parseOrigin(origin)
	if rest, ok = strings.CutPrefix(rest, ", authenticationType=["); ok {
		full.authenticationType, rest, _ = strings.Cut(rest, "]")
	}
	if rest, ok = strings.CutPrefix(rest, ", detailedDescription=["); ok {
		full.detailedMessage = strings.TrimSuffix(rest, "]")
	}
	return full, true
}

// parseOrigin reads where a request came from. The address stands first, before anything that a client chose; so of
// names that are there twice the first one counts.
func (ev *uaaEvent) parseOrigin(origin string) {
	for origin != "" {
		var part string
		part, origin, _ = strings.Cut(origin, ", ")
		name, value, _ := strings.Cut(part, "=")
		var field *string
		switch name {
		case "remoteAddress":
			field = &ev.remoteAddress
		case "clientId", "client":
			field = &ev.client
		case "user":
			field = &ev.user
		default:
			continue
		}
		if *field == "" {
			*field = uaaValue(value)
		}
	}
}

// uaaValue is the value of a part; Java writes the absent one as null.
func uaaValue(s string) string {
	if s == "null" {
		return ""
	}
	return present(s)
}

// cutOnce cuts s around the only occurrence of sep.
func cutOnce(s, sep string) (before, after string, ok bool) {
	before, after, ok = strings.Cut(s, sep)
	return before, after, ok && !strings.Contains(after, sep)
}
