// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "github.com/otelcol-audit/otelcol-audit/internal/jsonlog"

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
	start, end := jsonlog.NextElement(l.text, l.at)
	l.at = end
	l.events--
	return Raw(l.text[start:end])
}
