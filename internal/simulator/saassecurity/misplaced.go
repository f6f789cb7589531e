// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Misplaced is a secret or token where none belongs. The entry does not repeat
// it.
type Misplaced struct {
	At   time.Time `json:"at"`
	Path string    `json:"path"`
	What string    `json:"what"`
}

// noteMisplaced looks for credentials in the wrong places, and counts the
// requests of the connection.
func (s *Simulator) noteMisplaced(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses[r.RemoteAddr]++
	note := func(what string) {
		s.wrong = append(s.wrong, Misplaced{At: time.Now(), Path: r.URL.Path, What: what})
	}
	target := r.URL.RequestURI()
	if plain, err := url.QueryUnescape(target); err == nil {
		target += " " + plain
	}
	if what := s.credentialIn(target); what != "" {
		note(what + " in the URL")
	}
	for name, values := range r.Header {
		text := strings.Join(values, " ")
		if name == "Authorization" {
			scheme, _, _ := strings.Cut(text, " ")
			if wanted := map[bool]string{true: "Basic", false: "Bearer"}[r.URL.Path == pathToken]; scheme != wanted {
				note(scheme + " authorization")
			}
			continue
		}
		if what := s.credentialIn(text); what != "" {
			note(what + " in the header " + name)
		}
	}
}

// credentialIn names the kind of the credential that the text holds, if any.
func (s *Simulator) credentialIn(text string) string {
	pair := base64.StdEncoding.EncodeToString([]byte(s.opts.ClientID + ":" + s.secret))
	if strings.Contains(text, s.secret) || strings.Contains(text, pair) {
		return "client secret"
	}
	for t := range s.tokens {
		if strings.Contains(text, t) {
			return "token"
		}
	}
	return ""
}
