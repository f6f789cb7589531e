// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// Names of members that decide what a document is.
const (
	keyEvents  = "events"
	keyLogType = "log_type"
)

// Bounds of what is opened. Beyond them a value is an event as it is.
const (
	maxOpen    = 8      // containers around a list of events
	maxStrings = 3      // strings around one
	maxLooks   = 16     // elements that are looked at to tell a list of events
	maxLists   = 10_000 // lists in lists
)

// envelopes are names of members under which an API that is not this one hands
// out what it has. A list there is one of events even if these have no log_type,
// and a string can hold JSON.
var envelopes = map[string]bool{
	"event": true, "events": true, "log": true, "logs": true, "log_events": true, "logevents": true, "data": true, "record": true, "records": true,
	"item": true, "items": true, "result": true, "results": true, "resources": true, "response": true, "entries": true, "hits": true, "messages": true,
	"body": true, "payload": true, "content": true, "value": true, "values": true, "rows": true, "list": true, "documents": true,
}

func isEvents(key string) bool { return strings.EqualFold(key, keyEvents) }

func isEnvelope(key string) bool { return envelopes[key] || envelopes[strings.ToLower(key)] }

// opener finds the events of a text. Of its methods, those that take a value are
// given its offset and how many containers are around it, and return where it
// ends, or -1 if the text is broken there. They have then taken what is whole.
type opener struct {
	*jsonlog.Walker

	text    string
	around  int // strings around the text
	reply   *Reply
	run     run
	end     int  // behind the last value of which all was taken
	scalar  bool // the last document is no container
	isEvent bool // the last document is an event, against first appearances

	beside  strings.Builder // events of what stands beside lists
	besides int
}

// run is elements that follow each other in the text.
type run struct {
	start, end, events int
	spans              []span // from start on, of all of them or of none
}

// take makes an event of the value from start to end. typed says that it is one
// beyond doubt.
func (o *opener) take(start, end int, typed bool) {
	if o.run.events == 0 {
		o.run.start = start
	}
	if end-start >= noted && end-o.run.start <= math.MaxUint32 && len(o.run.spans) == o.run.events {
		o.run.spans = append(o.run.spans, span{uint32(start - o.run.start), uint32(end - o.run.start)}) //nolint:gosec // bounded
	} else {
		o.run.spans = nil
	}
	o.run.end = end
	o.run.events++
	if typed {
		o.reply.Events++
	}
}

func (o *opener) flush() {
	if o.run.events > 0 {
		o.reply.add(list{text: o.text[o.run.start:o.run.end], events: o.run.events, spans: o.run.spans})
		o.run = run{}
	}
}

// list takes a list of events.
func (o *opener) list(at, depth int) int {
	o.flush()
	o.end = at + 1
	end := o.Array(at, func(at int) int {
		end := o.element(at, depth+1)
		if end >= 0 {
			o.end = end
		}
		return end
	})
	o.flush()
	return end
}

// element takes an element of a list: an event, or again a list or an envelope.
func (o *opener) element(at, depth int) int {
	if at < len(o.text) && depth < maxOpen && len(o.reply.lists) < maxLists {
		switch o.text[at] {
		case '{':
			isEvent, end := o.look(at, depth)
			if !isEvent && o.holds(at, depth, false) {
				return o.envelope(at, depth, false)
			}
			if end >= 0 {
				o.take(at, end, true)
			}
			return end
		case '[':
			if o.isNested(at) {
				return o.list(at, depth)
			}
		case '"':
			if end := o.Skip(at, depth); end < 0 || o.expand(at, end, true) {
				return end
			}
		}
	}
	end := o.Skip(at, depth)
	if end >= 0 {
		o.take(at, end, true)
	}
	return end
}

// isNested reports whether a list begins with an object, however many brackets are
// before it.
func (o *opener) isNested(at int) bool {
	for at < len(o.text) && o.text[at] == '[' {
		at = o.Blanks(at + 1)
	}
	return at < len(o.text) && o.text[at] == '{'
}

// look reports whether an object is an event, and where it ends.
func (o *opener) look(at, depth int) (isEvent bool, end int) {
	end = o.Object(at, func(key, _ string, at int) int {
		isEvent = isEvent || key == keyLogType
		return o.Skip(at, depth+1)
	})
	return isEvent, end
}

// envelope takes an object that holds lists.
func (o *opener) envelope(at, depth int, named bool) int {
	o.flush()
	before := o.reply.len
	var rest besides
	end := o.members(at, depth, named, &rest)
	o.flush()
	if o.isEvent {
		return end
	}
	if rest.rich || rest.says && end >= 0 && (named || o.reply.len == before) {
		o.beside.WriteString(rest.object() + "\n")
		o.besides++
	}
	return end
}

func (o *opener) members(at, depth int, named bool, rest *besides) int {
	return o.Object(at, func(key, written string, at int) int {
		o.isEvent = o.isEvent || depth == 0 && key == keyLogType
		end := o.member(key, written, at, depth+1, named, rest)
		if end >= 0 {
			o.end = end
		}
		return end
	})
}

func (o *opener) member(key, written string, at, depth int, named bool, rest *besides) int {
	c := byte(0)
	if at < len(o.text) {
		c = o.text[at]
	}
	switch {
	case c == '[' && o.isList(key, at, depth, named):
		o.reply.Listed = true
		return o.list(at, depth)
	case c == '{' && o.holds(at, depth, named):
		var inner besides
		end := o.members(at, depth, named, &inner)
		rest.nest(written, &inner)
		return end
	}
	isEvent, end := false, 0
	if c == '{' {
		isEvent, end = o.look(at, depth)
	} else {
		end = o.Skip(at, depth)
	}
	switch {
	case end < 0:
	case isEvent:
		o.take(at, end, true)
		o.flush() // what is between it and the next one is no comma
	case c == 'n' && isEvents(key):
		o.reply.Listed = true
	case c == '"' && isEnvelope(key) && o.expand(at, end, false):
	default:
		value := o.text[at:end]
		rest.add(written, value)
		if key == "error" || key == "errors" {
			o.reply.Reports = o.reply.Reports || says(value) && value != "[]" && value != "{}"
		}
	}
	return end
}

// holds reports whether an object is an envelope: it holds a list of events, or
// several events as members. named lets names alone tell lists, too.
func (o *opener) holds(at, depth int, named bool) (found bool) {
	if depth >= maxOpen || len(o.reply.lists) >= maxLists {
		return false
	}
	events := 0
	o.Object(at, func(key, _ string, at int) int {
		c := byte(0)
		if at < len(o.text) {
			c = o.text[at]
		}
		switch c {
		case '[':
			found = o.isList(key, at, depth+1, named)
		case '{':
			if isEvent, _ := o.look(at, depth+1); isEvent {
				events++
				found = events > 1
			} else {
				found = o.holds(at, depth+1, named)
			}
		case 'n':
			found = isEvents(key)
		}
		if found {
			return -1
		}
		end := o.Skip(at, depth+1)
		if c == '"' && end >= 0 && isEnvelope(key) && o.expandable(at, end) {
			found = true
			return -1
		}
		return end
	})
	return found
}

// isList reports whether the array under a name is a list of events.
func (o *opener) isList(key string, at, depth int, named bool) bool {
	if isEvents(key) {
		return true
	}
	if depth >= maxOpen || len(o.reply.lists) >= maxLists {
		return false
	}
	if named && isEnvelope(key) {
		first := o.Blanks(at + 1)
		if o.isNested(at) || first < len(o.text) && o.text[first] == ']' {
			return true
		}
	}
	return o.isTyped(at, depth)
}

// isTyped reports whether one of the first elements of an array is an event, or
// holds some.
func (o *opener) isTyped(at, depth int) (found bool) {
	if depth >= maxOpen {
		return false
	}
	looks := 0
	o.Array(at, func(at int) int {
		if looks++; looks > maxLooks || at >= len(o.text) {
			return -1
		}
		end := 0
		switch o.text[at] {
		case '{':
			if found, end = o.look(at, depth+1); !found {
				found = o.holds(at, depth+1, false)
			}
		case '[':
			found = o.isTyped(at, depth+1)
			end = o.Skip(at, depth+1)
		default:
			end = o.Skip(at, depth+1)
			found = end >= 0 && o.text[at] == '"' && o.expandable(at, end) && strings.Contains(o.text[at:end], keyLogType)
		}
		if found {
			return -1
		}
		return end
	})
	return found
}

// expandable guesses whether the string from start to end holds JSON with events.
func (o *opener) expandable(start, end int) bool {
	inside := o.text[start+1 : end-1]
	for trimmed := ""; trimmed != inside; {
		trimmed, inside = inside, strings.TrimLeft(inside, " ")
		for _, blank := range [...]string{`\n`, `\r`, `\t`} {
			inside = strings.TrimPrefix(inside, blank)
		}
	}
	if o.around >= maxStrings || inside == "" {
		return false
	}
	return isContainer(inside[0]) || inside[0] == '\\'
}

// expand takes the events of the JSON in a string. With listed they must be a list;
// a single event in a string stays one.
func (o *opener) expand(start, end int, listed bool) bool {
	if !o.expandable(start, end) {
		return false
	}
	inner, reason, _ := find(o.Unquote(start, end), o.around+1)
	if reason != "" || !inner.Listed && (listed || inner.Events == 0) {
		return false
	}
	o.flush()
	o.reply.lists = append(o.reply.lists, inner.lists...)
	o.reply.len += inner.len
	o.reply.Events += inner.Events
	o.reply.Listed = true
	o.reply.Reports = o.reply.Reports || inner.Reports
	return true
}
