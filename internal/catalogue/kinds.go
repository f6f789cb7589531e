// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

const prefix = "sap.btp.audit."

// kind is a type of event of a producer.
type kind struct {
	producer, name string
	sample         event // the one with the most answers
	events         []event
}

// Producers, in the order of the catalogue.
const (
	authorization = "Authorization service (UAA, XSUAA)"
	trust         = "Trust and authorization administration (XSUAA, SCIM)"
	identity      = "Cloud Identity Services"
	integration   = "Cloud Integration"
	studio        = "Business Application Studio"
	workZone      = "Work Zone"
	management    = "Cloud Management"
	datasphere    = "Datasphere"
	auditLog      = "Audit log"
	others        = "Other applications"
)

var producers = []string{authorization, trust, identity, integration, studio, workZone, management, datasphere, auditLog, others}

var (
	trustTypes    = regexp.MustCompile(`(?i)^(xs_?role|xs_tenant|scim|identityprovider|shadow)`)
	deployTypes   = regexp.MustCompile(`(?i)^(re|un)?deployment$`)
	workZoneTexts = regexp.MustCompile(`(?i)^(unauthorized access to|all roles for providerid)`)
	loginTexts    = regexp.MustCompile(`(?i)^(un)?successful login event`)
)

// kind tells which producer wrote an event, and of which type it is.
func (e event) kind() (producer, name string) {
	own := func(key string) string { return e.attributes[prefix+key] }
	has := func(start string) bool {
		for key := range e.attributes {
			if strings.HasPrefix(key, prefix+start) {
				return true
			}
		}
		return false
	}
	object := own("object.type")
	target, action := e.attributes["audit.target.type"], e.attributes["audit.action"]
	switch {
	case own("event_type") != "":
		return authorization, own("event_type")
	case has("msg_id"):
		return authorization, "parts of a SAML message"
	case has("cis."):
		return identity, join(own("cis.object_type"), own("cis.action"))
	case trustTypes.MatchString(object):
		return trust, join(object, own("object.id.crudType"))
	case deployTypes.MatchString(object):
		return integration, object
	case target == "audit_log" || loginTexts.MatchString(own("text")):
		return auditLog, join(object, action)
	case action == "detect_malware" || target == "dev_space" || e.file == "business_application_studio":
		return studio, join(target, action)
	case workZoneTexts.MatchString(own("text")) || target == "service" || e.file == "work_zone":
		return workZone, join(target, action)
	case e.file == "cloud_management" || has("data.entity"):
		return management, join(target, action)
	case e.file == "datasphere":
		return datasphere, join(object, own("data.action"))
	case has("data.object_type"):
		return integration, join(own("data.object_type"), own("data.action"))
	default:
		return others, join(strings.TrimPrefix(e.name, prefix), action)
	}
}

// join is the parts that are there; an event whose type cannot be told says so.
func join(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	if len(parts) == 0 {
		return "of unknown type"
	}
	return strings.Join(parts, " ")
}

// kindsOf sorts events by producer and type.
func kindsOf(events []event) (kinds []*kind) {
	for _, e := range events {
		producer, name := e.kind()
		at := slices.IndexFunc(kinds, func(k *kind) bool { return k.producer == producer && strings.EqualFold(k.name, name) })
		if at < 0 {
			at = len(kinds)
			kinds = append(kinds, &kind{producer: producer, name: name, sample: e})
		}
		k := kinds[at]
		k.events = append(k.events, e)
		if e.answered() > k.sample.answered() {
			k.sample = e
		}
	}
	slices.SortStableFunc(kinds, func(a, b *kind) int {
		return cmp.Or(cmp.Compare(slices.Index(producers, a.producer), slices.Index(producers, b.producer)),
			strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)))
	})
	return kinds
}

// answered is how many of the six answers an event gives.
func (e event) answered() (n int) {
	for _, key := range []string{"audit.actor.id", "audit.action", "audit.target.id", "client.address"} {
		if e.attributes[key] != "" {
			n++
		}
	}
	if outcome := e.attributes["audit.outcome"]; outcome != "" && outcome != "unknown" {
		n++
	}
	return n
}
