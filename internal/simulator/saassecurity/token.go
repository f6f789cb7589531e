// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// scopeLogs is the scope that the reads demand.
const scopeLogs = "api_access"

type token struct {
	ends   time.Time
	scopes []string
}

// ResetSecret replaces the client secret at once and returns the new one.
// Whether tokens survive that is not documented; revoke ends them.
func (s *Simulator) ResetSecret(revoke bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = fmt.Sprintf("%s-%d", s.opts.ClientSecret, s.random.Uint32())
	if revoke {
		clear(s.tokens)
	}
	return s.secret
}

// RevokeTokens ends all tokens.
func (s *Simulator) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request) {
	for _, refusing := range []bool{true, false} {
		if f, name := s.drawFault(r, refusing); name != "" && s.spoilToken(w, r, f, name) {
			return
		}
	}
	status, body := s.issue(r)
	s.noteToken(status, "")
	writeJSON(w, status, body)
}

// spoilToken plays a fault and reports whether that was the whole reply.
func (s *Simulator) spoilToken(w http.ResponseWriter, r *http.Request, f Fault, name string) bool {
	switch {
	case f.refuses():
		s.noteToken(f.status(), name)
		refuse(w, r, f)
		return true
	case f.Reset == ResetAfter:
		s.noteToken(0, name)
		cut(w)
		return true
	case f.Document != "":
		s.noteToken(http.StatusOK, name)
		w.Header().Set("Content-Type", contentTypeJSON)
		write(w, []byte(garbage))
		return true
	}
	sleep(r.Context(), f.Delay)
	return false
}

// issue checks a token request and returns the status and body of the reply.
func (s *Simulator) issue(r *http.Request) (int, any) {
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, oauthError("method_not_allowed", "Use POST")
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" || r.URL.RawQuery != "" {
		return http.StatusBadRequest, oauthError("invalid_request", "Bad Request")
	}
	if err := r.ParseForm(); err != nil {
		return http.StatusBadRequest, oauthError("invalid_request", "Bad Request")
	}
	if r.PostForm.Has("client_secret") {
		return http.StatusBadRequest, oauthError("invalid_request", "Bad Request")
	}
	id, secret, _ := r.BasicAuth()
	s.mu.Lock()
	defer s.mu.Unlock()
	if id != s.opts.ClientID || subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) != 1 {
		return http.StatusUnauthorized, unauthorized
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		return http.StatusBadRequest, oauthError("unsupported_grant_type", "Bad Request")
	}
	return http.StatusOK, s.newToken(strings.Fields(r.PostForm.Get("scope")))
}

// newToken makes a token and the reply that carries it. The caller holds the
// lock.
func (s *Simulator) newToken(scopes []string) map[string]any {
	now := time.Now()
	for text, t := range s.tokens {
		if s.opts.OneToken || !t.ends.After(now) {
			delete(s.tokens, text)
		}
	}
	ends := now.Add(s.opts.TokenLifetime)
	jti := fmt.Sprintf("%016x", s.random.Uint64())
	text := s.jwt(map[string]any{
		"scope": scopes, "exp": ends.Unix(), "jti": jti, "client_id": s.opts.ClientID, "tenant": s.opts.Tenant,
	})
	s.tokens[text] = token{ends: ends, scopes: scopes}
	reply := map[string]any{"access_token": text, "expires_in": int(s.opts.TokenLifetime.Seconds())}
	if s.opts.OmitExpiresIn {
		delete(reply, "expires_in")
	}
	if !s.opts.BareToken {
		reply["token_type"], reply["scope"], reply["jti"] = "bearer", strings.Join(scopes, " "), jti
	}
	return reply
}

func (s *Simulator) jwt(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // strings and numbers only
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, []byte("simulator"))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// authorize returns 0 if the request may read, or the status that refuses it.
func (s *Simulator) authorize(r *http.Request) int {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return http.StatusUnauthorized
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[text]
	switch {
	case !ok || !t.ends.After(time.Now()):
		return http.StatusUnauthorized
	case !slices.Contains(t.scopes, scopeLogs):
		return http.StatusForbidden
	}
	return 0
}

// unauthorized is the documented body of a 401.
var unauthorized = map[string]string{
	"error":             "unauthorized",
	"resolution":        "Please submit valid credentials.",
	"error_description": "Invalid credentials",
}

func oauthError(code, text string) map[string]string {
	return map[string]string{"error": code, "error_description": text}
}
