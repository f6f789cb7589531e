// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"unicode/utf8"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// maxText is the longest plain text that becomes an attribute, in bytes; the body has all of it.
const maxText = 1024

// describe adds the attributes of the event: first those whose number is fixed, then those whose
// names the producer chose, so that the latter never push the former out. It returns the answers.
func (r *reading) describe(raw *Raw, ev *event, a *attributes) answers {
	a.text(attrUser, ev.user)
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
	a.text(attrObjectType, ev.objectType)
	subject := describeSubject(ev, a)
	if ev.isService {
		describeService(ev, a)
	}
	r.describeChanges(ev, a)
	given := ev.answer()
	given.describe(a)
	if ev.ambiguous {
		a.dst.PutBool(attrAmbiguous, true)
	}
	a.text(attrText, shortened(ev.text))

	a.limit = maxAttributes
	r.describePairs(ev, a)
	if ev.isService {
		r.describeExtra(ev, a)
	} else {
		r.describeData(ev, a, ev.inner)
		r.describeData(ev, a, ev.payload)
	}
	for n := range ev.more.Children() {
		if n != ev.payload {
			r.describeData(ev, a, n)
		}
	}
	r.describeID(a, attrObjectID, ev.objectID)
	r.describeID(a, attrSubjectID, subject.Get("id"))
	return given
}

// describe adds the answers.
func (g *answers) describe(a *attributes) {
	a.text(attrActorID, g.actorID)
	a.text(attrActorIDP, g.actorIDP)
	a.text(attrActorType, g.actorType)
	a.text(attrAction, g.action)
	a.text(attrTargetType, g.targetType)
	a.text(attrTargetID, g.targetID)
	a.dst.PutStr(attrOutcome, g.went.String())
	if g.went != unsaid {
		a.dst.PutBool(attrSuccess, g.went == succeeded)
	}
	a.text(attrClient, g.client.Address)
	if g.client.Port != 0 {
		a.dst.PutInt(attrClientPort, g.client.Port)
	}
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
		if n == ev.wrapped && ev.inner.Kind() != jsonlog.None {
			continue // a text that holds inner, which is described instead
		}
		a.member(&r.arena, attrData, snakeCase(n.Key()), data, n)
	}
}

// describePairs adds Cloud Identity Services' pairs, with the JSON behind them; what Java prints as a map is data.
func (r *reading) describePairs(ev *event, a *attributes) {
	base := attrCIS
	if ev.isMap {
		base = attrData
	}
	for i := range ev.pairs {
		if i == maxPairs {
			a.dropped += uint32(len(ev.pairs) - maxPairs) //nolint:gosec // bounded by maxJudged
			break
		}
		a.free(&r.arena, base, snakeCase(ev.pairs[i].key), ev.pairs[i].value)
	}
	for n := range ev.behind.Children() {
		if counts(n.Key()) {
			continue // it is no pair and must not pass for one
		}
		name := snakeCase(n.Key())
		a.free(&r.arena, attrCIS, name, n.Scalar())
		if n.Kind() == jsonlog.Object {
			for m := range n.Children() {
				a.free(&r.arena, attrCIS, r.arena.Join(name, ".", snakeCase(m.Key())), m.Scalar())
			}
		}
	}
}

// describeID adds the parts of an identifier, or the whole if it is no object.
func (r *reading) describeID(a *attributes, base string, id jsonlog.Node) {
	for n := range id.Children() {
		a.member(&r.arena, base, n.Key(), id, n)
	}
	a.text(strings.TrimSuffix(base, "."), id.Scalar())
}

// describeService adds what the authorization service says.
func describeService(ev *event, a *attributes) {
	a.text(attrEventType, ev.uaa.typ)
	a.text(attrPrincipal, ev.uaa.principal)
	a.text(attrIdentityZone, ev.uaa.zone)
	a.text(attrOriginAddress, ev.uaa.origin.remoteAddress)
	a.text(attrOriginUser, firstPresent(ev.uaa.origin.user, ev.dataUser))
	a.text(attrOriginCaller, ev.uaa.origin.caller)
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
	a.text(attrGrantType, ev.said.grant)
	a.text(attrTokenUser, ev.said.user)
	a.text(attrClientID, firstPresent(ev.uaa.origin.client, ev.said.client))
}

// describeExtra adds the members of the service's data that are not its own.
func (r *reading) describeExtra(ev *event, a *attributes) {
	for n := range ev.payload.Children() {
		switch n.Key() {
		case "level", "origin", "msgNo", "msgId", "message", "user", "version":
		default:
			a.member(&r.arena, attrData, snakeCase(n.Key()), ev.payload, n)
		}
	}
}

// describeChanges adds what was read or changed, wherever a producer tells it.
func (r *reading) describeChanges(ev *event, a *attributes) {
	c := changes{r: r, a: a}
	c.list(ev)
	c.payload(ev.payload, ev.wrapped)
	c.payload(ev.inner, ev.wrapped)
	c.value("customDetails", changeNew, ev.custom, 0)
	i := 0
	for n := range ev.attachments.Children() {
		c.value(c.join("attachments", indexed(i)), changeNew, n.Get(fieldName), 0)
		i++
	}
	ev.change = c.facts
}

// shortened cuts a text at the bound, between two characters.
func shortened(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
