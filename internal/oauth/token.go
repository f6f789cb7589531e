// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	redacted   = "[REDACTED]"
	maxPayload = 64 << 10 // largest JWT payload that Claim looks into, in bytes of base64
	maxClaim   = 1 << 10  // longest claim that Claim returns, in bytes
)

// Token is an access token that cannot be printed: every way of formatting it shows only that it is there. Two Tokens are
// equal if they come from the same reply. The zero Token is none.
type Token struct {
	// A pointer, because fmt reads unexported fields of foreign structs by reflection and follows no nested pointer.
	value *string
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.value == nil }

// Authorize sets the Authorization header of req. The zero Token leaves req as it is.
func (t Token) Authorize(req *http.Request) {
	if t.value != nil {
		req.Header.Set("Authorization", "Bearer "+*t.value)
	}
}

// Claim returns a string claim of a token that happens to be a JWT, at most 1 KiB of it, and "" for everything else. The
// signature is not verified: a claim is a hint, never a proof.
func (t Token) Claim(name string) string {
	if t.value == nil {
		return ""
	}
	parts := strings.Split(*t.value, ".")
	if len(parts) != 3 || len(parts[1]) > maxPayload {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return ""
	}
	var claims map[string]json.RawMessage
	var claim string
	if json.Unmarshal(payload, &claims) != nil || json.Unmarshal(claims[name], &claim) != nil || len(claim) > maxClaim {
		return ""
	}
	return claim
}

// Format writes a placeholder, whatever the verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns a placeholder.
func (Token) String() string { return redacted }

// GoString returns a placeholder.
func (Token) GoString() string { return redacted }

// MarshalText returns a placeholder, for JSON, YAML and loggers.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }
