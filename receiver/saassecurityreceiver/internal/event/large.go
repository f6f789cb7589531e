// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// tooLarge reports whether a text has too many values to be taken apart at all: its outermost container is kept as text. One
// further inside costs nothing but itself.
func tooLarge(doc *jsonlog.Doc) bool { return doc.Full() && doc.Root().Kind() == jsonlog.String }

// plainMembers is an object with what counts of the one in text, however many members that has: the members that something is
// made of and whose values are no containers, as the last one of a name says.
func plainMembers(text string) (object string, odd Oddities) {
	w := jsonlog.NewWalker(text)
	start := w.Blanks(0)
	if start >= len(text) || text[start] != '{' {
		return "{}", 0
	}
	members := map[string]string{}
	w.Object(start, func(key, _ string, at int) int {
		end := w.Skip(at, 1)
		_, documented := fieldByName[key]
		if !documented {
			odd |= UnknownFields
		}
		switch {
		case end < 0 || !documented && !results[key]:
		case isContainer(text[at]):
			delete(members, key)
		default:
			members[key] = text[at:end]
		}
		return end
	})
	var b strings.Builder
	b.WriteByte('{')
	for key, value := range members {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + key + `":` + value) // documented names need no escaping
	}
	b.WriteByte('}')
	return b.String(), odd
}
