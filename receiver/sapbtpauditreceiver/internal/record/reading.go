// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"sync"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// reading takes one record apart: the outer record, the message in it, the data in that, and what some producers wrap
// once more. Its memory is reused from record to record.
type reading struct {
	arena jsonlog.Arena
	// One for each layer, and one for what is looked at but not kept.
	outer, message, data, inner, aside jsonlog.Doc

	pairs []pair
}

// readings are shared by all mappers; their strings stay valid when they are reused.
var readings = sync.Pool{New: func() any {
	r := new(reading)
	for _, doc := range []*jsonlog.Doc{&r.outer, &r.message, &r.data, &r.inner, &r.aside} {
		doc.Arena = &r.arena
	}
	return r
}}

// borrowReading returns a reading; release gives it back.
func borrowReading() *reading {
	return readings.Get().(*reading) //nolint:errcheck // the pool holds nothing else
}

func (r *reading) release() {
	readings.Put(r)
}

// event is what a record says, as far as it is understood. Absent values are "" and zero Nodes.
type event struct {
	root jsonlog.Node // zero if the record is malformed

	// Of the outer record.
	time, tenant, org, space, app, als, user, category, format string

	// Of the message.
	innerTime, innerTenant, innerUser, innerCategory, ip, identityProvider, status string
	success, object, subject, subjects, changes                                    jsonlog.Node

	// Of the message's data: an object, or a text. The text may hold one of two grammars.
	data     jsonlog.Node
	dataText string
	uaa      uaaEvent
	isUAA    bool
	pairs    []pair
	// Of data that is an object. inner is the JSON that the data's own message, wrapped, holds.
	level, identityOrigin, dataUser, msgID string
	msgNo, wrapped, inner                  jsonlog.Node
}

// read fills ev, which is valid until r reads the next record. Strings that hold JSON are opened in place, so that root
// is written with them parsed.
func (r *reading) read(raw *Raw, ev *event) {
	if raw.Malformed || r.outer.Parse(raw.Text) != nil {
		return
	}
	ev.root = r.outer.Root()
	var message jsonlog.Node
	for n := range ev.root.Children() {
		switch n.Key() {
		case "time":
			ev.time = n.Str()
		case "tenant":
			ev.tenant = n.Scalar()
		case "org_id":
			ev.org = n.Scalar()
		case "space_id":
			ev.space = n.Scalar()
		case "app_or_service_id":
			ev.app = n.Scalar()
		case "als_service_id":
			ev.als = n.Scalar()
		case "user":
			ev.user = n.Scalar()
		case "category":
			ev.category = n.Scalar()
		case "format_version":
			ev.format = n.Scalar()
		case "message":
			message = n
		}
	}
	// The documents print an object, the service sends a string that holds one.
	body := message
	if message.Kind() == jsonlog.String {
		if body = message.Expand(&r.message); body.Kind() == jsonlog.None {
			r.readText(message.Str(), ev)
			return
		}
	}
	r.readMessage(body, ev)
}

func (r *reading) readMessage(message jsonlog.Node, ev *event) {
	if message.Kind() != jsonlog.Object {
		return
	}
	var data jsonlog.Node
	for n := range message.Children() {
		switch n.Key() {
		case "time":
			ev.innerTime = n.Str()
		case "tenant":
			ev.innerTenant = n.Scalar()
		case "user":
			ev.innerUser = n.Scalar()
		case "category":
			ev.innerCategory = n.Scalar()
		case "ip":
			ev.ip = n.Scalar()
		case "identityProvider":
			ev.identityProvider = n.Scalar()
		case "status":
			ev.status = n.Scalar()
		case "success":
			ev.success = n
		case "object":
			ev.object = n
		case "data_subject":
			ev.subject = n
		case "data_subjects":
			ev.subjects = n
		case "attributes":
			ev.changes = n
		case "data":
			data = n
		}
	}
	r.readData(data, ev)
}

func (r *reading) readData(data jsonlog.Node, ev *event) {
	if data.Kind() == jsonlog.String {
		opened := data.Expand(&r.data)
		if opened.Kind() == jsonlog.None {
			r.readText(data.Str(), ev)
			return
		}
		data = opened
	}
	if data.Kind() != jsonlog.Object {
		return
	}
	ev.data = data
	for n := range data.Children() {
		switch n.Key() {
		case "message":
			ev.wrapped = n
		case "level":
			ev.level = n.Scalar()
		case "origin":
			ev.identityOrigin = n.Scalar()
		case "user":
			ev.dataUser = n.Scalar()
		case "msgId":
			ev.msgID = n.Scalar()
		case "msgNo":
			ev.msgNo = n
		}
	}
	if ev.inner = ev.wrapped.Expand(&r.inner); ev.inner.Kind() == jsonlog.None {
		ev.uaa, ev.isUAA = parseUAA(ev.wrapped.Str())
		ev.wrapped = jsonlog.Node{}
	}
}

// readText looks for the grammars that are found in a text.
func (r *reading) readText(text string, ev *event) {
	ev.dataText = text
	if ev.uaa, ev.isUAA = parseUAA(text); ev.isUAA {
		return
	}
	if r.pairs, _ = parsePairs(text, r.pairs[:0]); len(r.pairs) > 0 {
		ev.pairs = r.pairs
		return
	}
	// The members of an object without the braces around them.
	if strings.HasPrefix(text, `"`) && r.data.Parse("{"+text+"}") == nil {
		ev.data = r.data.Root()
	}
}

// pair is the value of the given key in a key="value" text.
func (ev *event) pair(key string) string {
	for _, p := range ev.pairs {
		if p.key == key {
			return p.value
		}
	}
	return ""
}

// isService reports whether the data has the shape of the authorization service's log.
func (ev *event) isService() bool {
	return ev.isUAA || ev.msgID != ""
}
