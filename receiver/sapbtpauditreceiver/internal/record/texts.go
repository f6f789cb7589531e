// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// readLine reads a line of the authorization service.
func (r *reading) readLine(text string, ev *event) bool {
	line, ok := parseUAA(text)
	if !ok {
		return false
	}
	ev.uaa = line
	ev.ambiguous = line.ambiguous
	if line.ownText {
		ev.said = parseUAAText(line.text)
		ev.ambiguous = line.ambiguous || ev.said.ambiguous
	}
	return true
}

// readText looks for what is found in a text: a line of the authorization service, pairs, or an object in another wrapping.
func (r *reading) readText(text string, ev *event) {
	if text == "" {
		return
	}
	if r.readLine(text, ev) {
		ev.isService = true
		return
	}
	if r.readPairs(text, ev) {
		return
	}
	if text[0] == '"' {
		// The members of an object without the braces around them, or an object in quotes with prose behind it.
		if whole := r.open("{" + text + "}"); whole.Kind() == jsonlog.Object {
			if hasRepeats(whole) {
				ev.ambiguous, ev.text = true, text // a value may have been typed that imitates members
			} else {
				r.readPayload(whole, ev)
			}
			return
		}
		if n := scanMembers(text[1:], nil); n > 0 {
			if whole := r.open(text[1 : n+1]); whole.Kind() == jsonlog.Object {
				r.readPayload(whole, ev)
				text = strings.TrimLeft(text[n+1:], `" `)
			}
		}
	} else if n := scanMembers(text, nil); n > 0 {
		if whole := r.open(text[:n]); whole.Kind() == jsonlog.Object {
			r.readPayload(whole, ev)
			text = strings.TrimSpace(text[n:])
		}
	}
	ev.text = present(text)
}

func hasRepeats(n jsonlog.Node) bool {
	for m := range n.Children() {
		if isRepeated(n, m) {
			return true
		}
	}
	return false
}

// readPairs reads Cloud Identity Services' pairs, and the map that Java prints in braces.
func (r *reading) readPairs(text string, ev *event) bool {
	braces := len(text) > 2 && text[0] == '{' && text[len(text)-1] == '}'
	if braces {
		text = text[1 : len(text)-1]
	}
	t := parsePairs(text, r.pairs[:0])
	r.pairs = t.pairs
	if len(t.pairs) == 0 && !t.ambiguous {
		return false
	}
	ev.pairs, ev.isMap, ev.ambiguous = t.pairs, braces, t.ambiguous
	for i := range t.pairs {
		ev.in.setPair(t.pairs[i].key, t.pairs[i].value, braces)
	}
	if t.behind != "" {
		ev.behind = r.open(t.behind)
	}
	return true
}
