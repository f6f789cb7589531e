// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// event is what a record says, as far as it is understood. Absent values are "" and zero Nodes.
type event struct {
	facts
	root jsonlog.Node // zero if the record is malformed

	// Of the outer record.
	time, tenant, org, space, app, als, outerUser, category, format, outerIP string

	// Of the message.
	innerTime, innerTenant, innerUser, innerCategory, innerIP, identityProvider string
	object, objectID, subject, subjects                                         jsonlog.Node
	// What was read or changed, and what else tells of it.
	changes, custom, attachments jsonlog.Node

	// Of the message's data: an object, more of them, or a text of one of two grammars. inner is the JSON that the
	// data's own message, wrapped, holds.
	payload, more, wrapped, inner jsonlog.Node
	pairs                         []pair
	behind                        jsonlog.Node // the JSON behind the pairs
	// Of data in the form of the authorization service's log.
	level, identityOrigin, dataUser, msgID string
	msgNo                                  jsonlog.Node
	isService                              bool
}

// read fills ev, which is valid until r reads the next record. Strings that hold JSON are opened in place, so that root
// is written with them parsed. What is known of the text is not read again.
func (r *reading) read(text string, known jsonlog.Known, ev *event) {
	if r.outer.ParseAgain(text, known) != nil || r.outer.Root().Kind() != jsonlog.Object {
		return
	}
	ev.root = r.outer.Root()
	var message jsonlog.Node
	for n := range ev.root.Children() {
		switch fieldOf(n.Key()) {
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
			ev.outerUser = firstPresent(n.Scalar(), ev.outerUser)
		case "category":
			ev.category = firstPresent(n.Scalar(), ev.category)
		case "format_version":
			ev.format = n.Scalar()
		case "ip":
			ev.outerIP = n.Scalar()
		case "message":
			message = n
		}
	}
	// The documents print an object, the service sends a string that holds one.
	if body := r.expand(message); body.Kind() != jsonlog.None {
		r.readMessage(body, ev)
	} else {
		r.readText(message.Str(), ev)
	}
	ev.name = eventName(firstPresent(ev.category, ev.innerCategory))
	ev.user = firstPresent(ev.outerUser, ev.innerUser)
	ev.ip = firstPresent(ev.innerIP, ev.outerIP)
}

func (r *reading) readMessage(message jsonlog.Node, ev *event) {
	if message.Kind() != jsonlog.Object {
		return
	}
	var data, text jsonlog.Node
	for n := range message.Children() {
		switch fieldOf(n.Key()) {
		case "time":
			ev.innerTime = n.Str()
		case "tenant":
			ev.innerTenant = n.Scalar()
		case "user":
			ev.innerUser = firstPresent(n.Scalar(), ev.innerUser)
		case "category":
			ev.innerCategory = firstPresent(n.Scalar(), ev.innerCategory)
		case "ip":
			ev.innerIP = n.Scalar()
		case "identityProvider":
			ev.identityProvider = n.Scalar()
		case "status":
			ev.status = n.Scalar()
		case "success":
			ev.went = outcomeOfText(n.Scalar())
		case "object":
			ev.object = firstObject(r.expand(n))
		case "data_subject":
			ev.subject = r.expand(n)
		case "data_subjects":
			ev.subjects = r.expand(n)
		case "attributes":
			ev.changes = r.expand(n)
		case "customDetails":
			ev.custom = n
		case "attachments":
			ev.attachments = r.expand(n)
		case "data":
			data = n
		case "message":
			text = n
		}
	}
	r.readObject(ev)
	if ev.went == unsaid {
		ev.went = outcomeOfChanges(ev.changes)
	}
	r.readData(data, ev)
	switch {
	case ev.payload.Kind() == jsonlog.None && ev.text == "" && ev.uaa.typ == "" && len(ev.pairs) == 0:
		r.readData(text, ev)
	case ev.text == "" && !ev.isService:
		ev.text = present(text.Str())
	}
}

// firstObject is an object, or the first of a list of them.
func firstObject(n jsonlog.Node) jsonlog.Node {
	if n.Kind() != jsonlog.Array {
		return n
	}
	for m := range n.Children() {
		if m.Kind() == jsonlog.Object {
			return m
		}
	}
	return jsonlog.Node{}
}

// upperFields are members that some producers begin with a capital letter.
var upperFields = [...]string{"user", "ip", "category", "tenant", "time", "message", "data", "object", "attributes", "status", "success"}

// fieldOf is a member's name as SAP documents it.
func fieldOf(key string) string {
	if key != "" && isUpper(rune(key[0])) {
		for _, name := range upperFields {
			if strings.EqualFold(key, name) {
				return name
			}
		}
	}
	return key
}

func (r *reading) readObject(ev *event) {
	ev.objectType = present(ev.object.Get("type").Scalar())
	id := ev.object.Get("id")
	if ev.objectID = r.expand(id); ev.objectID.Kind() == jsonlog.None {
		ev.objectID = id
	}
	for n := range ev.objectID.Children() {
		ev.id.set(n.Key(), n.Scalar())
	}
	if v := present(ev.objectID.Scalar()); v != "" {
		ev.id.id = v
	}
}

func (r *reading) readData(data jsonlog.Node, ev *event) {
	opened := r.expand(data)
	switch opened.Kind() {
	case jsonlog.None:
		r.readText(data.Str(), ev)
	case jsonlog.Array:
		if first := firstObject(opened); first.Kind() == jsonlog.Object {
			ev.more = opened
			r.readPayload(first, ev)
		}
	default:
		r.readPayload(opened, ev)
	}
}

// readPayload reads data that is an object. That of the authorization service has no other members than its own.
func (r *reading) readPayload(data jsonlog.Node, ev *event) {
	ev.payload = data
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
		case "findings":
			ev.in.findings = isFilled(n)
		default:
			ev.in.set(n.Key(), n.Scalar())
		}
	}
	if ev.wrapped.Kind() == jsonlog.String {
		ev.inner = r.expand(ev.wrapped)
		if ev.inner.Kind() == jsonlog.None {
			r.readLine(ev.wrapped.Str(), ev)
		}
	} else {
		ev.inner = ev.wrapped
	}
	ev.isService = ev.uaa.typ != "" || present(ev.msgID) != "" && ev.msgNo.Kind() != jsonlog.None && ev.wrapped.Kind() == jsonlog.String
	if ev.isService {
		if ev.uaa.typ == "" {
			ev.text = present(ev.wrapped.Str())
		}
		return
	}
	ev.in.set("user", ev.dataUser)
	for n := range ev.inner.Children() {
		if n.Key() == "findings" {
			ev.in.findings = ev.in.findings || isFilled(n)
		}
		ev.in.set(n.Key(), n.Scalar())
	}
	if ev.inner.Kind() == jsonlog.None {
		ev.in.set("message", ev.wrapped.Scalar())
	}
}

// isFilled tells what was found from a scan that found nothing.
func isFilled(n jsonlog.Node) bool {
	text := n.Scalar()
	return n.Len() > 0 || present(text) != "" && text != "0" && text != "false"
}

// outcomeOfChanges is the outcome of the attributes that an event lists: one that was not successful makes the whole a failure.
func outcomeOfChanges(changes jsonlog.Node) outcome {
	whole := outcomeOfMembers(changes)
	for change := range changes.Children() {
		whole = max(whole, outcomeOfMembers(change))
	}
	return whole
}

func outcomeOfMembers(change jsonlog.Node) outcome {
	whole := unsaid
	if change.Kind() != jsonlog.Object {
		return whole
	}
	for n := range change.Children() {
		if key := n.Key(); key == fieldSuccessful || key == fieldSuccessfull {
			whole = max(whole, outcomeOfText(n.Scalar()))
		}
	}
	return whole
}
