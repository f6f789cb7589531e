// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import "time"

// record is one audit record while it is being written. Its producer fills inner (the message as JSON) or plain (a message
// that is none).
type record struct {
	t       *tenant
	d       *dice
	at      time.Time
	ordinal uint32
	part    uint8
	user    string
	inner   object
	plain   string
	whole   object // the message, kept as a buffer for the next record
}

const (
	outerTime = "2006-01-02T15:04:05.000Z"
	nanoTime  = "2006-01-02T15:04:05.000000000Z"
)

// streams of numbers of one record: its content must not change with the number of draws that its kind or delay took.
const (
	streamContent uint64 = iota << 40
	streamKind
	streamDelay
	streamID
)

// appendID writes the message_uuid of a generated record: 32 upper-case digits for some producers, else a dashed UUID.
func (t *tenant) appendID(dst []byte, ordinal uint32, k kind) []byte {
	d := newDice(t.seed, streamID|uint64(ordinal))
	high, low := d.next(), d.next()
	if k == kindOwnLogin || k == kindStudio {
		return appendHex(appendHex(dst, high, 16, upperHex), low, 16, upperHex)
	}
	return appendUUID(dst, high, low)
}

// append writes a record as the API shows it. A record may be used for one after the other.
func (r *record) append(dst []byte, ordinal uint32, e entry, asObject bool) []byte {
	var idBuf [36]byte
	t := r.t
	id := string(t.appendID(idBuf[:0], ordinal, e.kind))
	p := &producers[e.kind]
	r.d, r.at, r.ordinal, r.part = newDice(t.seed, streamContent|uint64(ordinal)), e.time(), ordinal, e.part
	r.inner = r.inner[:0]
	r.user = r.person()
	p.fill(r)

	o := object(dst)
	o = append(o, '{')
	o = append(appendText(append(o, `"message_uuid":`...), id), `,"time":"`...)
	o = append(r.at.AppendFormat(o, outerTime), '"')
	o = o.str("tenant", t.id)
	o = r.origin(o, e.kind)
	o = o.str("user", r.user).str("category", p.category)
	if e.kind == kindBroken {
		return append(appendText(o.key("message"), r.plain), '}')
	}
	o = o.str("format_version", "").key("message")
	message := r.message(id, p.category)
	if asObject {
		o = append(o, message...)
	} else {
		o = appendText(o, message)
	}
	return append(o, '}')
}

// origin writes who wrote the record. Components outside Cloud Foundry have no org and no space, and say so in three ways.
func (r *record) origin(o object, k kind) object {
	d := r.d
	if k == kindBroken {
		return o.raw("org_id", "null")
	}
	org, space, app := r.t.org, r.t.space, newDice(r.t.seed, uint64(k)).uuid()
	switch d.intn(8) {
	case 0:
		org, space = "-", "-"
	case 1:
		org, space, app = "-", "", ""
	case 2, 3:
		space = "undefined"
	}
	return o.str("org_id", org).str("space_id", space).str("app_or_service_id", app).str("als_service_id", r.t.als)
}

// message completes the inner document: common members first, then the producer's, then the closing ones.
func (r *record) message(id, category string) object {
	if r.d.chance(0.02) {
		id = " " + id + " "
	}
	layout := outerTime
	if r.d.chance(0.2) {
		layout = nanoTime
	}
	at := r.at
	if layout == nanoTime {
		at = at.Add(time.Duration(r.d.intn(1_000_000)))
	}
	head := r.whole[:0].str("uuid", id).str("user", r.user).str("time", at.Format(layout))
	if len(r.inner) > 0 {
		head = append(append(head, ','), r.inner[1:]...)
	}
	if r.d.chance(0.6) {
		head = head.str("id", r.d.uuid())
	}
	head = head.str("category", category).str("tenant", r.t.id)
	if r.d.chance(0.5) {
		head = head.raw("customDetails", "{}")
	}
	if r.d.chance(0.1) {
		head = head.str("identityProvider", r.d.pick("$IDP", "sap.default", "acme-ias"))
	}
	r.whole = head.end()
	return r.whole
}
