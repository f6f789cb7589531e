// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"
	"unicode/utf8"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// Decode finds the events in the body of a reply, which nobody may change any
// more. contentType is that of the reply; its charset counts for a body that is
// not UTF-8. A body is
//
//   - nothing at all,
//   - an event, a list of them, or an envelope: an object that holds such lists, at
//     any depth down to maxOpen, also where they are JSON in a string,
//   - several of those one behind the other, as with one a line.
//
// Of a body that is broken, the events before the break are found. Members that
// stand beside a list are passed on as one more event, as soon as one of them is
// more than a plain value, or says something while there is no event.
func Decode(body []byte, contentType string) *Reply {
	body = textOf(body, contentType)
	text := ""
	if utf8.Valid(body) {
		text = jsonlog.Take(body)
	} else {
		text = string(body)
	}
	r, reason, rest := find(text, 0)
	if reason != "" {
		r.Problem = Problem{Reason: reason, Rest: body[rest:]}
	}
	return r
}

// find finds the events of a text that stands inside of so many strings. A reason
// says why it is not all that way from the offset rest on.
func find(text string, around int) (r *Reply, reason Reason, rest int) {
	o := &opener{Walker: jsonlog.NewWalker(text), text: text, around: around, reply: &Reply{}}
	at := o.gap(0, false)
	for docs := 0; at < len(text) && reason == ""; docs++ {
		if docs > 0 && !isContainer(text[at]) && text[at] != '"' {
			reason = TrailingData
			break
		}
		end := o.document(at)
		switch {
		case end >= 0:
			o.end = end
			at = o.gap(end, true)
			continue
		case o.scalar && docs > 0:
			reason = TrailingData
		case o.scalar:
			reason = NotEvents
		case o.EndsEarly():
			reason = Truncated
		default:
			reason = NotJSON
		}
		if docs == 0 && o.reply.len+o.run.events == 0 && o.besides == 0 {
			o.end = 0
		}
	}
	o.flush()
	o.reply.add(list{text: o.beside.String(), events: o.besides})
	return o.reply, reason, o.end
}

// gap skips what stands between documents: blanks, the marks of a byte order and of
// RFC 7464, and behind the first one commas.
func (o *opener) gap(at int, behind bool) int {
	for at = o.Blanks(at); at < len(o.text); at = o.Blanks(at) {
		switch {
		case behind && o.text[at] == ',':
			at++
		case o.text[at] == recordSeparator:
			o.flush()
			at++
		case strings.HasPrefix(o.text[at:], byteOrderMark):
			o.flush()
			at += len(byteOrderMark)
		default:
			return at
		}
	}
	return at
}

const (
	recordSeparator = 0x1e
	byteOrderMark   = "\ufeff"
)

func isContainer(c byte) bool { return c == '{' || c == '[' }

// document takes a value that stands in nothing else.
func (o *opener) document(at int) int {
	switch o.text[at] {
	case '[':
		o.reply.Listed = true
		return o.list(at, 0)
	case '{':
		return o.object(at)
	}
	end := o.Skip(at, 0)
	if end < 0 || o.text[at] == '"' && o.expand(at, end, false) {
		return end
	}
	o.scalar = true
	return -1
}

// object takes an object that stands in nothing else: an event or an envelope. The
// usual envelope begins with its list. It is taken for one at once, and again from
// its start if it turns out to be an event.
func (o *opener) object(at int) int {
	if o.beginsWithEvents(at) {
		o.flush()
		reply, behind, beside, besides := *o.reply, o.end, o.beside.String(), o.besides
		if end := o.envelope(at, 0, false); !o.isEvent {
			return end
		}
		*o.reply, o.end, o.besides, o.isEvent = reply, behind, besides, false
		o.beside.Reset()
		o.beside.WriteString(beside)
	}
	isEvent, end := o.look(at, 0)
	if isEvent {
		if end >= 0 {
			o.take(at, end, true)
		}
		return end
	}
	for _, named := range [...]bool{false, true} {
		if o.holds(at, 0, named) {
			return o.envelope(at, 0, named)
		}
	}
	switch {
	case end < 0:
	case o.text[o.Blanks(at+1)] == '}':
		o.reply.Listed = true // it lists nothing
	default:
		o.take(at, end, strings.Contains(o.text[at:end], keyLogType))
	}
	return end
}

// beginsWithEvents reports whether the first member of an object is a list of that
// name.
func (o *opener) beginsWithEvents(at int) bool {
	rest, ok := strings.CutPrefix(o.text[o.Blanks(at+1):], `"`+keyEvents+`"`)
	if !ok {
		return false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, blanks), ":")
	return ok && strings.HasPrefix(strings.TrimLeft(rest, blanks), "[")
}

// blanks of JSON.
const blanks = " \t\r\n"
