// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import "strconv"

var people = []string{
	"alice@example.com", "bob@example.com", "carol@example.org", "dieter.müller@example.de", "eve@example.com",
	"frank@example.net", "grace@example.com", "heidi@example.org", "ivan@example.com", "judy@example.net",
}

// person gives an actor, in the forms that producers use.
func (r *record) person() string {
	mail := r.mail()
	switch r.d.intn(10) {
	case 0:
		return "P" + strconv.Itoa(100000+r.d.intn(900))
	case 1:
		return r.t.clientID
	case 2, 3, 4:
		return "user/" + r.d.pick("sap.default", "acme-ias", "ldap") + "/" + mail
	case 5:
		return begin().str("user_name", mail).str("origin", "sap.default").text()
	default:
		return mail
	}
}

func (r *record) mail() string { return r.d.pick(people...) }

// address gives a client address of a documentation network.
func (r *record) address() string {
	net := r.d.pick("192.0.2.", "198.51.100.", "203.0.113.")
	if r.d.chance(0.05) {
		return "2001:db8::" + strconv.FormatInt(int64(r.d.intn(0xffff)), 16)
	}
	return net + strconv.Itoa(1+r.d.intn(254))
}

// entity gives an id of some object, one of a limited number.
func (r *record) entity(name string, of int) string {
	return name + "-" + r.number(of)
}

// number gives a number from 1 to most, as text.
func (r *record) number(most int) string { return strconv.Itoa(1 + r.d.intn(most)) }
