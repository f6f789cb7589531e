// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"sync"
)

// tenant is one subaccount with its credentials, records and open retrievals.
type tenant struct {
	store

	id        string
	subdomain string
	clientID  string
	instance  string // xsappname without its suffix
	org       string
	space     string
	als       string
	seed      uint64

	auth      sync.Mutex
	secret    string
	rotations uint64

	reads   retrievals
	written written
	rate    bucket
	peak    peak
}

func newTenant(seed uint64, index int) *tenant {
	d := newDice(seed, 0)
	t := &tenant{id: d.uuid(), seed: d.next(), instance: d.uuid(), org: d.uuid(), space: d.uuid(), als: d.uuid()}
	t.subdomain = fmt.Sprintf("acme-%03d", index)
	suffix := "!b" + strconv.Itoa(1000+index)
	t.clientID = "sb-" + t.instance + suffix + "|auditlog-management" + "!b1234"
	t.secret = newSecret(d)
	t.given = map[uint32]*given{}
	t.reads.sessions = map[string]*session{}
	t.reads.dice = newDice(t.seed, streamID-1)
	return t
}

// newSecret gives a secret with every character that is mistaken somewhere: '$', '+', '/' and '='.
func newSecret(d *dice) string {
	return d.uuid() + "$+" + base64.StdEncoding.EncodeToString(d.bytes(31)) + "/" + base64.StdEncoding.EncodeToString(d.bytes(1))
}

// Subaccount is what a customer knows of one subaccount. The URLs are those of the listeners where Start was called, else
// the ones that Transport answers.
type Subaccount struct {
	Tenant       string // zone id, the tenant of every record
	Subdomain    string
	ClientID     string // contains ! and |
	ClientSecret string // contains +, $, / and =
	Endpoint     string // service key "url"
	TokenURL     string // service key "uaa.url", without /oauth/token
	CertURL      string // service key "uaa.certurl", for tokens by client certificate

	sim *Simulator
}

// Subaccount gives the i-th subaccount, counted from 0. It panics where there are fewer.
func (s *Simulator) Subaccount(i int) Subaccount { return s.describe(s.tenants[i]) }

// Subaccounts gives all subaccounts in order.
func (s *Simulator) Subaccounts() []Subaccount {
	out := make([]Subaccount, len(s.tenants))
	for i, t := range s.tenants {
		out[i] = s.describe(t)
	}
	return out
}

func (s *Simulator) describe(t *tenant) Subaccount {
	sub := Subaccount{
		Tenant: t.id, Subdomain: t.subdomain, ClientID: t.clientID, ClientSecret: t.currentSecret(), sim: s,
		Endpoint: "https://" + s.apiHost(),
		TokenURL: "https://" + s.uaaHost(t),
		CertURL:  "https://" + s.certHost(t),
	}
	if l := s.listeners.Load(); l != nil {
		sub.Endpoint, sub.TokenURL, sub.CertURL = l.URL, l.URL, l.CertURL
		if l.TLSURL != "" {
			sub.Endpoint, sub.TokenURL = l.TLSURL, l.TLSURL
		}
	}
	return sub
}

func (s *Simulator) apiHost() string { return "auditlog-management.cfapps." + s.landscape }

func (s *Simulator) uaaHost(t *tenant) string { return t.subdomain + ".authentication." + s.landscape }

func (s *Simulator) certHost(t *tenant) string {
	return t.subdomain + ".authentication.cert." + s.landscape
}

func (t *tenant) currentSecret() string {
	t.auth.Lock()
	defer t.auth.Unlock()
	return t.secret
}

// RotateSecret gives the subaccount a new client secret and returns it; the old one is refused from now on. Tokens that
// were issued before stay valid.
func (s *Simulator) RotateSecret(tenantID string) string {
	t := s.mustTenant(tenantID)
	s.settings.Lock()
	defer s.settings.Unlock()
	t.auth.Lock()
	defer t.auth.Unlock()
	t.rotations++
	t.secret = newSecret(newDice(t.seed, streamID|t.rotations<<32))
	s.secrets[t.secret] = true
	return t.secret
}

// RevokeTokens makes every token that the subaccount holds invalid, as a forced rotation of signing keys does.
func (s *Simulator) RevokeTokens(tenantID string) {
	t := s.mustTenant(tenantID)
	s.tokens.revokeTenant(t.id)
}
