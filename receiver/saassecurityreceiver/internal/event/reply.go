// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

// Reply hands out the events of a reply in their order. It keeps where they
// stand and not the events: a reply of few bytes on the wire can hold millions.
type Reply struct {
	// Problem is the part that could not be read.
	Problem Problem

	lists  []list
	beside Raw // one event more, behind those of the lists; "" if there is none
	len    int
}

// list is the text of a list from its bracket on, and how many of its elements
// are whole.
type list struct {
	text   string
	at     int // where the next one is looked for
	events int
}

// Len is how many events are left.
func (r *Reply) Len() int { return r.len }

// Next returns the next event, and false behind the last one.
func (r *Reply) Next() (Raw, bool) {
	for len(r.lists) > 0 && r.lists[0].events == 0 {
		r.lists = r.lists[1:]
	}
	switch {
	case r.len == 0:
		return "", false
	case len(r.lists) == 0:
		r.len--
		return r.beside, true
	}
	r.len--
	return r.lists[0].next(), true
}

func (r *Reply) add(l list) {
	if l.events > 0 {
		r.lists = append(r.lists, l)
		r.len += l.events
	}
}

func (r *Reply) addBeside(ev Raw) {
	if ev != "" {
		r.beside = ev
		r.len++
	}
}

// next takes out an element. It is known to be whole, so that only its end is
// to be found.
func (l *list) next() Raw {
	for l.at < len(l.text) && isBetween(l.text[l.at]) {
		l.at++
	}
	start := l.at
	l.at = valueEnd(l.text, start)
	l.events--
	return Raw(l.text[start:l.at])
}

// isBetween tells what stands between the elements of a list.
func isBetween(c byte) bool {
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n'
}

// valueEnd is the offset behind the JSON value at i.
func valueEnd(text string, i int) int {
	depth, quoted := 0, false
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
			continue
		case c == '"':
			quoted = !quoted
			if quoted {
				continue
			}
		case quoted:
			continue
		case c == '{' || c == '[':
			depth++
			continue
		case depth == 0 && (isBetween(c) || c == ']' || c == '}'):
			return i
		case c == ']' || c == '}':
			depth--
		default:
			continue
		}
		if depth == 0 { // a bracket or a string has ended
			return i + 1
		}
	}
	return len(text)
}
