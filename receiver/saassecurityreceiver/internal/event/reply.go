// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "github.com/otelcol-audit/otelcol-audit/internal/jsonlog"

// Reply hands out the events of a reply in their order. It keeps where they
// stand and not the events: a reply of few bytes on the wire can hold millions.
type Reply struct {
	// Problem is the part that could not be read.
	Problem Problem
	// Events is how many there are without what only stands beside lists, and
	// without what is an event only for want of anything better.
	Events int
	// Listed says that there is a list, which can be empty.
	Listed bool
	// Reports says that an error stands beside a list.
	Reports bool

	lists []list
	len   int
}

// list is the text from the first element of a list on, and how many are whole.
type list struct {
	text   string
	at     int // where the next one is looked for
	events int
	spans  []span // of the next elements in text, if they are noted
}

// span is where an element stands. Only large ones are noted, so that this takes
// little memory beside the text.
type span struct{ start, end uint32 }

const noted = 128 // bytes of an element

// Len is how many events are left.
func (r *Reply) Len() int { return r.len }

// Next returns the next event, and false behind the last one.
func (r *Reply) Next() (Raw, bool) {
	for len(r.lists) > 0 && r.lists[0].events == 0 {
		r.lists = r.lists[1:]
	}
	if r.len == 0 {
		return "", false
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

// next takes out an element. It is known to be whole, so that only its end is
// to be found.
func (l *list) next() Raw {
	if len(l.spans) > 0 {
		at := l.spans[0]
		l.spans = l.spans[1:]
		l.events--
		return Raw(l.text[at.start:at.end])
	}
	start, end := jsonlog.NextElement(l.text, l.at)
	l.at = end
	l.events--
	return Raw(l.text[start:end])
}
