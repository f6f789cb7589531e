// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"unicode"
)

const (
	// maxDescription is the longest description kept, in characters.
	maxDescription = 200

	// shortestEcho is how many characters in a row a description may have in common with something secret: fewer are chance.
	shortestEcho = 6
)

// credential is what looks like one, whosever it is: a JWT, a PEM block, or a text as long as no word is.
var credential = regexp.MustCompile(`eyJ[\w-]{8,}|-{5}BEGIN|[\w+/=-]{48,}`)

// descriptionIn finds the text in {"error_description":"…"} (RFC 6749, 5.2), without characters that do not print or change the
// direction of the text, and not longer than maxDescription.
func descriptionIn(body []byte) string {
	var reply struct {
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &reply) != nil {
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, reply.Description)
	text = strings.Join(strings.Fields(text), " ")
	if credential.MatchString(text) {
		return ""
	}
	if short := []rune(text); len(short) > maxDescription {
		text = string(short[:maxDescription-1]) + "…"
	}
	return text
}

// Hide drops the description if it has a part of one of the secrets in it, in whatever case. Blanks do not count: what does
// not print has become one.
func (e *Error) Hide(secrets ...string) {
	described := bare(e.Description)
	for _, secret := range secrets {
		text := []rune(bare(secret))
		size := min(shortestEcho, len(text))
		for from := range len(text) - size + 1 {
			if size > 0 && strings.Contains(described, string(text[from:from+size])) {
				e.Description = ""
				return
			}
		}
	}
}

func bare(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), "")) }

// headersOf are the values of a request's headers that can be secret.
func headersOf(req *http.Request) (values []string) {
	for name, all := range req.Header {
		if name != "Accept" && name != "Content-Type" && name != "User-Agent" {
			values = append(values, all...)
		}
	}
	return values
}
