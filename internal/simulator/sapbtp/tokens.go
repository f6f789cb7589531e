// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"
	"time"
)

// token is one access token. Its text is a JWT like UAA's, but only the registry says whether it is valid.
type token struct {
	id      string
	text    string
	tenant  *tenant
	expires time.Time
	revoked bool
}

// tokens is the registry of what was issued.
type tokens struct {
	mu     sync.Mutex
	dice   *dice
	key    []byte
	byText map[string]*token
}

// pruneTokens is how many tokens are kept before expired ones are thrown out.
const pruneTokens = 4096

func (r *tokens) init(d *dice) {
	r.dice, r.byText = d, map[string]*token{}
	r.key = d.bytes(32)
}

func (r *tokens) issue(t *tenant, issuer string, now time.Time, life time.Duration) *token {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byText) >= pruneTokens {
		r.prune(now)
	}
	tok := &token{id: strings.ReplaceAll(r.dice.uuid(), "-", ""), tenant: t, expires: now.Add(life)}
	tok.text = r.sign(t, tok, issuer, now)
	r.byText[tok.text] = tok
	return tok
}

// sign writes the JWT with the claims that XSUAA sets.
func (r *tokens) sign(t *tenant, tok *token, issuer string, now time.Time) string {
	header := begin().str("alg", "HS256").str("kid", "simulator").str("typ", "JWT")
	claims := begin().str("jti", tok.id).
		obj("ext_attr", begin().str("enhancer", "XSUAA").str("subaccountid", t.id).str("zdn", t.subdomain)).
		str("sub", t.clientID).raw("scope", `["uaa.resource","auditlog-management!b1234.ReadAuditLogs"]`).
		str("client_id", t.clientID).str("cid", t.clientID).str("azp", t.clientID).str("grant_type", "client_credentials").
		raw("iat", strconv.FormatInt(now.Unix(), 10)).raw("exp", strconv.FormatInt(tok.expires.Unix(), 10)).
		str("iss", "https://"+issuer+uaaPath).str("zid", t.id)
	text := base64.RawURLEncoding.EncodeToString(header.end()) + "." + base64.RawURLEncoding.EncodeToString(claims.end())
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (r *tokens) prune(now time.Time) {
	for text, tok := range r.byText {
		if now.After(tok.expires) {
			delete(r.byText, text)
		}
	}
}

// find gives a token that was once issued, valid or not.
func (r *tokens) find(text string) *token {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byText[text]
}

func (r *tokens) valid(tok *token, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return tok != nil && !tok.revoked && now.Before(tok.expires)
}

func (r *tokens) revoke(tok *token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tok.revoked = true
}

func (r *tokens) revokeTenant(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, tok := range r.byText {
		if tok.tenant.id == id {
			tok.revoked = true
		}
	}
}
