// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// uaaEvent is what a log line of the authorization service (UAA, XSUAA) says. The grammar, and what protects it from text
// that strangers typed, is in design.md. Values are as written; absent ones are "".
type uaaEvent struct {
	typ, text, principal                string
	origin                              uaaOrigin
	zone                                string
	authenticationType, detailedMessage string
	kind                                uaaKind // of typ; zero if that is not known
	// ownText says that the text is the service's own JSON.
	ownText bool
	// cut says that the line ends before its end, ambiguous that a value could imitate the parts behind it, so that
	// those in doubt were left out.
	cut, ambiguous bool
}

// longLine is the length from which on a line may be the first part of one that the service split (at 4 kB, SAP-docs
// d8f4b7c), so that a stranger's text can have pushed the true parts out of it.
const longLine = 3500

// The parts of a line, in their order.
const (
	partPrincipal   = ": principal="
	partOrigin      = ", origin=["
	partZone        = ", identityZoneId=["
	partAuthType    = ", authenticationType=["
	partDescription = ", detailedDescription=["
)

// parseUAA reads a line of the authorization service; ok is false if it is none. Of a line that was cut it takes what is
// whole. Where a part's beginning is there twice, what depends on it is left out.
func parseUAA(line string) (ev uaaEvent, ok bool) {
	typ, quote, rest, ok := beginsLine(line)
	if !ok {
		return uaaEvent{}, false
	}
	ev.typ, ev.kind = typ, uaaKinds[typ]
	rest, found := ev.cutText(quote, rest)
	if !found {
		// Without the parts behind it, only what the service calls an event is one.
		return ev, ev.cut || ev.ambiguous
	}
	if len(line) >= longLine && !ev.ownText {
		ev.text, ev.cut, ev.ambiguous = "", true, true
		return ev, true
	}
	ev.parseParts(rest)
	return ev, true
}

// beginsLine cuts a line behind the quote that opens its text. A log's own header may stand before, which begins with a bracket; prose
// may not, since a name in it could imitate a line.
func beginsLine(line string) (typ string, quote byte, rest string, ok bool) {
	line = strings.TrimPrefix(withoutHeader(line), "Audit: ")
	n := 0
	for n < len(line) && (isLower(line[n]) || isUpper(rune(line[n])) || isDigit(line[n]) || line[n] == '_') {
		n++
	}
	rest = strings.TrimPrefix(line[n:], " ")
	if n == 0 || len(rest) < 2 || rest[0] != '(' || rest[1] != '\'' && rest[1] != '"' {
		return "", 0, "", false
	}
	return line[:n], rest[1], rest[2:], true
}

func withoutHeader(line string) string {
	if line == "" || line[0] != '[' {
		return line
	}
	i := strings.Index(line, "Audit: ")
	if i < 0 || strings.ContainsAny(line[:i], "'\"=") {
		return line
	}
	return line[i:]
}

// cutText reads the quoted text and returns what stands behind ": principal=", if that is found once. The text of what the
// service calls an event is its own JSON, whose end is where its brackets close; any other text ends at the only place
// where it can.
func (ev *uaaEvent) cutText(quote byte, s string) (rest string, found bool) {
	end := "')" + partPrincipal
	if quote == '"' {
		end = `")` + partPrincipal
	}
	if strings.HasSuffix(ev.typ, "Event") && s != "" && (s[0] == '{' || s[0] == '[') {
		if n := scanMembers(s, nil); n >= 0 {
			if rest, found = strings.CutPrefix(s[n:], end); found {
				ev.text, ev.ownText = s[:n], true
				return rest, true
			}
		} else if !strings.Contains(s, end) {
			ev.text, ev.ownText, ev.cut = s, true, true
			return "", false
		}
	}
	text, rest, found := strings.Cut(s, end)
	switch {
	case !found:
		ev.cut = ev.kind.action != "" || strings.HasSuffix(ev.typ, "Event") || outcomeOfType(ev.typ) != unsaid
	case strings.Contains(rest, end):
		ev.ambiguous, found = true, false
	default:
		ev.text = notNull(text)
	}
	return rest, found
}

// parseParts reads what follows the text.
func (ev *uaaEvent) parseParts(s string) {
	principal, rest, n := cutOnly(s, partOrigin)
	switch n {
	case 0:
		principal, rest, n = cutOnly(s, partZone)
		ev.principal = uaaValue(principal)
		if n == 1 {
			ev.parseTail(rest)
		}
		ev.ambiguous = n > 1
		return
	case 1:
		ev.principal = uaaValue(principal)
	default:
		ev.ambiguous = true
		return
	}
	origin, tail, n := cutOnly(rest, "]"+partZone)
	switch n {
	case 0:
		origin = ev.withoutZone(rest)
	case 1:
		ev.parseTail(tail)
	default:
		ev.ambiguous = true
		return
	}
	ev.origin.parse(origin, ev.cut)
	ev.ambiguous = ev.ambiguous || ev.origin.ambiguous
}

// withoutZone cuts the origin of a line that has no zone.
func (ev *uaaEvent) withoutZone(rest string) (origin string) {
	for _, part := range []string{partAuthType, partDescription} {
		if i := strings.Index(rest, "]"+part); i >= 0 {
			ev.parseLast(rest[i+1:])
			return rest[:i]
		}
	}
	if i := strings.LastIndexByte(rest, ']'); i >= 0 && !strings.ContainsAny(rest[i:], "=") {
		return rest[:i]
	}
	ev.cut = true
	return rest
}

// parseTail reads the zone and what follows it.
func (ev *uaaEvent) parseTail(s string) {
	zone, rest, whole := strings.Cut(s, "]")
	if !whole {
		ev.cut = true
		return
	}
	ev.zone = uaaValue(zone)
	ev.parseLast(rest)
}

func (ev *uaaEvent) parseLast(rest string) {
	var ok bool
	if rest, ok = strings.CutPrefix(rest, partAuthType); ok {
		if ev.authenticationType, rest, ok = strings.Cut(rest, "]"); !ok {
			ev.authenticationType, ev.cut = "", true
		}
	}
	if rest, ok = strings.CutPrefix(rest, partDescription); ok {
		ev.detailedMessage = strings.TrimSuffix(rest, "]")
	}
}

// uaaValue is the value of a part, without the quotes around it; Java writes the absent one as null.
func uaaValue(s string) string {
	s = strings.TrimSpace(s)
	if n := len(s); n >= 2 && s[0] == s[n-1] && (s[0] == '\'' || s[0] == '"') {
		s = s[1 : n-1]
	}
	return notNull(s)
}

func notNull(s string) string {
	if s == "null" {
		return ""
	}
	return present(s)
}

// cutOnly cuts s around the first sep and tells how many there are, counting up to two.
func cutOnly(s, sep string) (before, after string, n int) {
	before, after, found := strings.Cut(s, sep)
	switch {
	case !found:
		return s, "", 0
	case strings.Contains(after, sep):
		return before, after, 2
	default:
		return before, after, 1
	}
}
