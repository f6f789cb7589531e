// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"slices"
	"strings"
	"time"
)

// Leak is a secret seen where it does not belong.
type Leak struct {
	Time   time.Time `json:"time"`
	Host   string    `json:"host"`
	Secret string    `json:"secret"` // "client_secret" or "token"
	Where  string    `json:"where"`  // "url", "authorization" or "body"
	Reason string    `json:"reason"`
}

// Leaks lists the secrets that came to wrong places: into a URL, or to a host that has no business with them.
func (l *Ledger) Leaks() []Leak {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.leaks)
}

// findLeaks looks at everything that a request carries.
func (s *Simulator) findLeaks(x *exchange) []Leak {
	var out []Leak
	leak := func(secret, where, reason string) {
		out = append(out, Leak{Time: x.at, Host: x.req.Host, Secret: secret, Where: where, Reason: reason})
	}
	for name, values := range x.query {
		for _, v := range values {
			if v != "" && (name == "client_secret" || s.isSecret(v)) {
				leak("client_secret", "url", "secrets in URLs end up in logs")
			}
			if s.tokens.find(v) != nil {
				leak("token", "url", "tokens in URLs end up in logs")
			}
		}
	}
	scheme, _, hasAuth := cutScheme(x.req.Header.Get("Authorization"))
	secretInBody := x.form.Has("client_secret") || s.mentionsSecret(x)
	switch {
	case x.door == doorElsewhere:
		if hasAuth && scheme == "basic" {
			leak("client_secret", "authorization", "a host outside of the service key")
		} else if hasAuth {
			leak("token", "authorization", "a host outside of the service key")
		}
		if secretInBody {
			leak("client_secret", "body", "a host outside of the service key")
		}
	case x.kind == KindToken || x.door == doorUAA || x.door == doorCert:
		if hasAuth && scheme == "bearer" {
			leak("token", "authorization", "UAA needs no token")
		}
		if x.door == doorCert && (secretInBody || scheme == "basic") {
			leak("client_secret", "body", "the certificate host needs no secret")
		}
	default:
		if hasAuth && scheme == "basic" {
			leak("client_secret", "authorization", "the API takes tokens")
		}
		if secretInBody {
			leak("client_secret", "body", "the API takes tokens")
		}
	}
	return out
}

func (s *Simulator) isSecret(text string) bool {
	s.settings.Lock()
	defer s.settings.Unlock()
	return s.secrets[text]
}

// mentionsSecret looks for the client's secret in a body that is no form.
func (s *Simulator) mentionsSecret(x *exchange) bool {
	if x.tenant != nil {
		return strings.Contains(x.body, x.tenant.currentSecret())
	}
	return strings.Contains(x.body, "client_secret")
}
