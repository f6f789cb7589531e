// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// issueToken is UAA's POST /oauth/token for client credentials: by secret in the form or by Basic, by client certificate on
// the certificate host.
func (s *Simulator) issueToken(x *exchange) *reply {
	if x.req.Method != http.MethodPost {
		return uaaError(http.StatusMethodNotAllowed, "method_not_allowed", "Request method '"+x.req.Method+"' not supported")
	}
	grant := x.form.Get("grant_type")
	if grant == "" {
		grant = x.query.Get("grant_type") // as SAP's examples send it
	}
	if grant != "client_credentials" {
		return uaaError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type")
	}
	if x.query.Has("client_secret") || x.client == "" {
		return uaaError(http.StatusUnauthorized, "unauthorized", "Client authentication failed")
	}
	if x.tenant == nil || !s.inZone(x) {
		return uaaError(http.StatusUnauthorized, "invalid_client", "Client with requested ID does not exist")
	}
	if !s.authenticated(x) {
		return uaaError(http.StatusUnauthorized, "unauthorized", "Bad credentials")
	}
	life := x.readings.tokenLifetime()
	valid := life
	if x.tokenLife > 0 {
		valid = x.tokenLife
	}
	tok := s.tokens.issue(x.tenant, s.uaaHost(x.tenant), x.at, valid)
	s.noteLogin(x)
	return tokenReply(x, tok, life)
}

// inZone tells whether the host belongs to the subaccount of the client. Listeners serve all zones under one address.
func (s *Simulator) inZone(x *exchange) bool {
	host := hostOnly(x.req.Host)
	switch x.door {
	case doorUAA:
		return host == s.uaaHost(x.tenant)
	case doorCert:
		return !strings.HasSuffix(host, s.landscape) || host == s.certHost(x.tenant)
	default:
		return true
	}
}

func (s *Simulator) authenticated(x *exchange) bool {
	if x.door == doorCert {
		return s.certified(x)
	}
	want := x.tenant.currentSecret()
	if x.form.Has("client_secret") {
		return x.form.Get("client_secret") == want
	}
	_, secret, ok := x.req.BasicAuth()
	if !ok {
		return false
	}
	if !encodedCredentials(x.req) && strings.Contains(secret, "+") {
		return false // "+" reaches UAA only encoded and announced (SAP-docs fd5865e)
	}
	return plainCredential(x.req, secret) == want
}

// encodedCredentials tells whether id and secret of Basic are URL-encoded (SAP-docs fd5865e).
func encodedCredentials(req *http.Request) bool {
	return strings.EqualFold(req.Header.Get("X-CF-ENCODED-CREDENTIALS"), "true")
}

func plainCredential(req *http.Request, text string) string {
	if !encodedCredentials(req) {
		return text
	}
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

func tokenReply(x *exchange, tok *token, life time.Duration) *reply {
	o := begin().str("access_token", tok.text).str("token_type", "bearer")
	if !x.readings.NoExpiresIn {
		o = o.raw("expires_in", strconv.FormatInt(int64(life/time.Second), 10))
	}
	o = o.str("scope", "uaa.resource auditlog-management!b1234.ReadAuditLogs").str("jti", tok.id)
	return newReply(http.StatusOK, typeJSON, o.end())
}

// uaaError is the JSON in which UAA refuses.
func uaaError(status int, code, description string) *reply {
	r := newReply(status, typeJSON, begin().str("error", code).str("error_description", description).end())
	if status == http.StatusUnauthorized {
		r.header.Set("WWW-Authenticate", `Basic realm="UAA/client", error="`+code+`", error_description="`+description+`"`)
	}
	return r
}

// cutScheme splits an Authorization header.
func cutScheme(header string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(header, " ")
	return strings.ToLower(scheme), strings.TrimSpace(rest), ok
}
