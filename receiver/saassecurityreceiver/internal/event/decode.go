// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"

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

// Decode finds the events in the body of a reply, in their order. It takes an
// object with a list of events, a bare list, a single event and nothing at all.
// Of a reply that is broken, the events before the break are returned. Members
// that a future API may put beside the list are passed on as one more event, as
// soon as one of them is more than a plain value, or says something while the
// list is empty.
func Decode(body []byte) ([]Raw, Problem) {
	if len(bytes.Trim(body, blanks)) == 0 {
		return nil, Problem{}
	}
	doc, _ := docs.Get().(*jsonlog.Doc)
	defer func() {
		_ = doc.Parse("null") // lets go of the text
		docs.Put(doc)
	}()
	if doc.Parse(jsonlog.Text(body)) != nil {
		return salvage(body)
	}
	root := doc.Root()
	switch root.Kind() {
	case jsonlog.Array:
		return appendElements(nil, root), Problem{}
	case jsonlog.Object:
		if events, ok := fromObject(root); ok {
			return events, Problem{}
		}
	}
	return salvage(body)
}

// fromObject fails if the list is too large to be taken apart at once.
func fromObject(root jsonlog.Node) (events []Raw, ok bool) {
	envelope := false
	var beside []member
	for m := range root.Children() {
		switch key := m.Key(); {
		case key == keyLogType:
			return []Raw{Raw(root.Raw())}, true
		case key != keyEvents:
			beside = append(beside, member{key, m.Raw()})
		case m.Kind() == jsonlog.Array:
			envelope = true
			events = appendElements(events, m)
		case m.Kind() == jsonlog.Null:
			envelope = true
		case strings.HasPrefix(m.Raw(), "["):
			return nil, false
		default:
			beside = append(beside, member{key, m.Raw()})
		}
	}
	switch {
	case envelope:
		return appendBeside(events, beside, len(events) == 0), true
	case root.Len() == 0:
		return nil, true
	default:
		return []Raw{Raw(root.Raw())}, true
	}
}

func appendElements(events []Raw, list jsonlog.Node) []Raw {
	for e := range list.Children() {
		events = append(events, Raw(e.Raw()))
	}
	return events
}

// member of an object, its value as JSON.
type member struct{ key, value string }

// says is false for the values of members that mean nothing.
func (m member) says() bool {
	switch m.value {
	case "null", "true", "false", "0", `""`:
		return false
	}
	return true
}

// appendBeside makes an event of what stands beside the list of events, unless
// there are only plain values, which are counts and the like. If it stands
// alone, plain values that say something are all there is of the reply.
func appendBeside(events []Raw, beside []member, alone bool) []Raw {
	worth := false
	var b strings.Builder
	for i, m := range beside {
		worth = worth || m.value[0] == '{' || m.value[0] == '[' || (alone && m.says())
		key, err := json.Marshal(m.key)
		if err != nil {
			continue // cannot be: strings always marshal
		}
		b.WriteByte("{,"[min(i, 1)])
		b.Write(key)
		b.WriteByte(':')
		b.WriteString(m.value)
	}
	if !worth {
		return events
	}
	b.WriteByte('}')
	return append(events, Raw(b.String()))
}
