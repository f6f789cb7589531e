// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// describe adds the attributes of the event: first those whose number is fixed, then those whose
// names the producer chose, so that the latter never push the former out.
func (r *reading) describe(raw *Raw, ev *event, a *attributes) {
	a.text(attrUser, firstPresent(ev.user, ev.innerUser))
	a.text(attrClient, firstPresent(ev.ip, ev.uaa.remoteAddress, ev.pair("ipAddress")))
	a.text(attrCategory, firstPresent(ev.category, ev.innerCategory))
	a.text(attrMessageUUID, raw.UUID)
	a.text(attrTenant, firstPresent(ev.tenant, ev.innerTenant))
	a.text(attrOrg, ev.org)
	a.text(attrSpace, ev.space)
	a.text(attrApp, ev.app)
	a.text(attrALS, ev.als)
	a.text(attrFormat, ev.format)
	a.text(attrIdentityProvider, ev.identityProvider)
	a.text(attrStatus, ev.status)
	if o := ev.outcome(); o != unsaid {
		a.dst.PutBool(attrSuccess, o == succeeded)
	}
	a.text(attrObjectType, ev.object.Get("type").Scalar())
	subject := describeSubject(ev, a)
	if ev.isService() {
		r.describeService(ev, a)
	}
	r.describeChanges(ev, a)

	for _, p := range ev.pairs {
		a.free(&r.arena, attrCIS, snakeCase(p.key), p.value)
	}
	if !ev.isService() {
		r.describeData(ev, a, ev.data)
		r.describeData(ev, a, ev.inner)
	}
	r.describeID(a, attrObjectID, ev.object.Get("id"))
	r.describeID(a, attrSubjectID, subject.Get("id"))
}

// describeSubject adds the data subject; of several the first, and how many there are. The body has them all.
func describeSubject(ev *event, a *attributes) jsonlog.Node {
	first, count := ev.subject, 0
	if first.Kind() == jsonlog.Object {
		count = 1
	}
	for n := range ev.subjects.Children() {
		if count == 0 {
			first = n
		}
		count++
	}
	a.text(attrSubjectType, first.Get("type").Scalar())
	a.text(attrSubjectRole, first.Get("role").Scalar())
	if count > 1 {
		a.dst.PutInt(attrSubjectCount, int64(count))
	}
	return first
}

// describeData adds the scalars of data that no producer's own rule covers.
func (r *reading) describeData(ev *event, a *attributes, data jsonlog.Node) {
	for n := range data.Children() {
		if n == ev.wrapped {
			continue // a text that holds inner, which is described instead
		}
		if v := n.Scalar(); v != "" {
			a.free(&r.arena, attrData, snakeCase(n.Key()), v)
		}
	}
}

// describeID adds the parts of an identifier, or the whole if it is no object.
func (r *reading) describeID(a *attributes, base string, id jsonlog.Node) {
	for n := range id.Children() {
		a.free(&r.arena, base, n.Key(), n.Scalar())
	}
	a.text(strings.TrimSuffix(base, "."), id.Scalar())
}

// describeService adds what the authorization service says.
func (r *reading) describeService(ev *event, a *attributes) {
	a.text(attrEventType, ev.uaa.typ)
	a.text(attrPrincipal, ev.uaa.principal)
	a.text(attrIdentityZone, ev.uaa.zone)
	a.text(attrOriginAddress, ev.uaa.remoteAddress)
	a.text(attrOriginUser, firstPresent(ev.uaa.user, ev.dataUser))
	a.text(attrIdentityOrigin, ev.identityOrigin)
	a.text(attrAuthType, ev.uaa.authenticationType)
	a.text(attrDescription, ev.uaa.detailedMessage)
	a.text(attrLevel, ev.level)
	a.text(attrMsgID, ev.msgID)
	if no, ok := ev.msgNo.Int(); ok {
		a.dst.PutInt(attrMsgNo, no)
	} else {
		a.text(attrMsgNo, ev.msgNo.Scalar())
	}
	client := ev.uaa.client
	// On BTP the text of a TokenIssuedEvent is the token's claims.
	if strings.HasPrefix(ev.uaa.text, "{") && r.aside.Parse(ev.uaa.text) == nil {
		claims := r.aside.Root()
		a.text(attrGrantType, claims.Get("grant_type").Scalar())
		a.text(attrTokenUser, claims.Get("user_name").Scalar())
		client = firstPresent(client, claims.Get("client_id").Scalar(), claims.Get("cid").Scalar())
	}
	a.text(attrClientID, client)
}

// describeChanges lists the names of the attributes that were read or changed. A producer that writes a whole object
// as an attribute's name is described like one that writes it as data.
func (r *reading) describeChanges(ev *event, a *attributes) {
	var names pcommon.Slice
	listed := 0
	for change := range ev.changes.Children() {
		name := present(change.Get("name").Scalar())
		switch {
		case name == "":
		case name[0] == '{' && r.aside.Parse(name) == nil:
			r.describeData(ev, a, r.aside.Root())
		case listed < maxNames:
			if listed == 0 {
				names = a.dst.PutEmptySlice(attrChanges)
				names.EnsureCapacity(min(ev.changes.Len(), maxNames))
			}
			names.AppendEmpty().SetStr(name)
			listed++
		default:
			a.dropped++
		}
	}
}
