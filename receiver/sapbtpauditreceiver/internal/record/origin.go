// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/audit"
)

// uaaOrigin is where a request came from and who made it, in one of the forms
//
//	A                                                      an address
//	remoteAddress=A, clientId=C, sessionId=S               of a request
//	client=C, user=U, details=(D)                          of a call with a token
//	caller=N, details=(D)                                  of any other call
//
// where D is remoteAddress=A, clientId=C, sessionId=S, tokenType=T, tokenValue=V, type=K, sub=I, iss=I. Everything may be missing.
type uaaOrigin struct {
	remoteAddress, client, caller, user string
	// plain is a text that has none of the forms.
	plain     string
	ambiguous bool
}

const details = "details=("

// parse reads an origin. The service writes the address before all that a caller chose, or as the first of details that are
// there once; anything else that looks like one was typed. Who made the request counts only if the names come in
// the order of one of the forms, once each.
func (o *uaaOrigin) parse(s string, cut bool) {
	if !cut && strings.IndexByte(s, '=') < 0 && audit.ClientOf(s).Address != "" {
		o.remoteAddress = s
		return
	}
	head, inner, n := cutOnly(s, details)
	if n == 1 {
		if i := strings.LastIndexByte(inner, ')'); i >= 0 {
			inner = inner[:i]
		}
	} else {
		inner = ""
	}
	outer, okHead := readFields(strings.TrimSuffix(head, ", "), cut && n == 0, headOrder[:])
	within, okInner := readFields(inner, cut, detailOrder[:])
	o.ambiguous = n > 1 || !okHead || !okInner
	switch {
	case strings.HasPrefix(s, "remoteAddress="):
		o.remoteAddress = uaaValue(outer.address)
	case strings.HasPrefix(inner, "remoteAddress="):
		o.remoteAddress = uaaValue(within.address)
	}
	if o.ambiguous {
		return
	}
	o.client = firstPresent(uaaValue(outer.client), uaaValue(within.client))
	o.caller, o.user = uaaValue(outer.caller), uaaValue(outer.user)
	if outer == (fields{}) && inner == "" {
		o.plain = uaaValue(s)
	}
}

// fields are those that matter, of one level of an origin.
type fields struct {
	address, client, caller, user string
}

// rank is the place that a name has in one of the forms.
type rank struct {
	name string
	at   int
}

// Names of one rank exclude each other, and so do a caller and a user.
var (
	headOrder = [...]rank{
		{"remoteAddress", 0}, {"clientId", 2}, {"client", 1}, {"caller", 2}, {"user", 2}, {"sessionId", 3},
	}
	detailOrder = [...]rank{
		{"remoteAddress", 0}, {"clientId", 1}, {"sessionId", 2}, {"tokenType", 3}, {"tokenValue", 4}, {"type", 5}, {"sub", 6}, {"iss", 7}, {"opaque-token", 8},
	}
)

// readFields reads name=value parts in the given order; ok is false if another order shows that a value imitates names. A
// value ends where the next name begins. What a cut may have shortened is left out.
func readFields(s string, cut bool, order []rank) (f fields, ok bool) {
	last := -1
	for s != "" {
		name, at := nameAt(s, order)
		if name == "" {
			return f, last < 0
		}
		value, rest, more := cutValue(s[len(name)+1:], order)
		if at <= last || name == "sessionId" && f.address == "" && f.caller+f.user != "" {
			return f, false
		}
		if !more && cut {
			return f, true
		}
		last, s = at, rest
		switch name {
		case "remoteAddress":
			f.address = value
		case "clientId", "client":
			f.client = value
		case "caller":
			f.caller = value
		case "user":
			f.user = value
		}
	}
	return f, true
}

// nameAt is the name that s begins with, and its rank.
func nameAt(s string, order []rank) (name string, at int) {
	for _, r := range order {
		if len(s) > len(r.name) && s[len(r.name)] == '=' && s[:len(r.name)] == r.name {
			return r.name, r.at
		}
	}
	return "", 0
}

// cutValue cuts s before the next name.
func cutValue(s string, order []rank) (value, rest string, more bool) {
	for from := 0; ; {
		i := strings.Index(s[from:], ", ")
		if i < 0 {
			return s, "", false
		}
		i += from
		if name, _ := nameAt(s[i+2:], order); name != "" {
			return s[:i], s[i+2:], true
		}
		from = i + 2
	}
}
