// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// Names of members that decide what a document is.
const (
	keyEvents  = "events"
	keyLogType = "log_type"
)

// blanks of JSON.
const blanks = " \t\r\n"

// docs are reused, as the room for what a reply is made of is larger than the
// reply.
var docs = sync.Pool{New: func() any { return new(jsonlog.Doc) }}

// Decode finds the events in the body of a reply, which nobody may change any
// more. It takes an object with a list of events, a bare list, a single event
// and nothing at all. Of a reply that is broken, the events before the break
// are found. Members that a future API may put beside the list are passed on as
// one more event, as soon as one of them is more than a plain value, or says
// something while the list is empty.
func Decode(body []byte) *Reply {
	if len(bytes.Trim(body, blanks)) == 0 {
		return &Reply{}
	}
	if !utf8.Valid(body) {
		return salvage(body)
	}
	doc, _ := docs.Get().(*jsonlog.Doc)
	defer func() {
		_ = doc.Parse("null") // lets go of the text
		docs.Put(doc)
	}()
	if doc.Parse(jsonlog.Take(body)) != nil {
		return salvage(body)
	}
	root := doc.Root()
	switch root.Kind() {
	case jsonlog.Array:
		r := &Reply{}
		r.add(listOf(root))
		return r
	case jsonlog.Object:
		if r := fromObject(root); r != nil {
			return r
		}
	}
	return salvage(body)
}

// fromObject returns nil if a list is too large to be taken apart at once.
func fromObject(root jsonlog.Node) *Reply {
	r := &Reply{}
	listed := false
	var beside besides
	for m := range root.Children() {
		switch key := m.Key(); {
		case key == keyLogType:
			return alone(root.Raw())
		case key != keyEvents:
			beside.add(quote(key), m.Raw())
		case m.Kind() == jsonlog.Array:
			listed = true
			r.add(listOf(m))
		case m.Kind() == jsonlog.Null:
			listed = true
		case strings.HasPrefix(m.Raw(), "["):
			return nil
		default:
			beside.add(quote(key), m.Raw())
		}
	}
	switch {
	case listed:
		r.addBeside(beside.event(r.len == 0))
		return r
	case root.Len() == 0:
		return r
	default:
		return alone(root.Raw())
	}
}

// alone is a reply that is an event itself.
func alone(text string) *Reply {
	r := &Reply{}
	r.addBeside(Raw(text))
	return r
}

func listOf(n jsonlog.Node) list { return list{text: n.Raw(), at: 1, events: n.Len()} }

func quote(key string) string {
	text, err := json.Marshal(key)
	if err != nil {
		return `""` // cannot be: strings always marshal
	}
	return string(text)
}

// besides makes an event of what stands beside the list of events.
type besides struct {
	text strings.Builder
	rich bool // one is more than a plain value
	says bool // one says something
}

// add takes a member, its name and its value as JSON.
func (b *besides) add(name, value string) {
	b.rich = b.rich || value[0] == '{' || value[0] == '['
	b.says = b.says || says(value)
	if b.text.Len() == 0 {
		b.text.WriteByte('{')
	} else {
		b.text.WriteByte(',')
	}
	b.text.WriteString(name)
	b.text.WriteByte(':')
	b.text.WriteString(value)
}

// event is "" if there are only plain values, which are counts and the like. If
// it stands alone, plain values that say something are all there is of the
// reply.
func (b *besides) event(alone bool) Raw {
	if b.rich || (alone && b.says) {
		return Raw(b.text.String() + "}")
	}
	return ""
}

// says is false for the values of members that mean nothing.
func says(value string) bool {
	switch value {
	case "null", "true", "false", "0", `""`:
		return false
	}
	return true
}
