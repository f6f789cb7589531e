// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import "strings"

// placeholders are what producers write where there is no user. Some write sentences that say that nobody has logged in.
var placeholders = [...]string{
	"unknown", "UNKNOWN_USER", "unknown user", "anonymous", "anonymousUser", "anonymous user", "null", "nil", "none", "n/a",
	"not available", "undefined", "unspecified", "-", "--", "?", "no user", "nobody", "$USER",
}

const nobodyLoggedIn = "not logged in"

// IsPlaceholder reports whether producers write this where there is no user. Blanks around it do not count.
func IsPlaceholder(name string) bool {
	name = strings.TrimSpace(name)
	if len(name) <= maxPlaceholder {
		for _, p := range placeholders {
			if len(name) == len(p) && strings.EqualFold(name, p) {
				return true
			}
		}
	}
	return name == "" || containsFold(name, nobodyLoggedIn)
}

const maxPlaceholder = len("anonymous user")

func containsFold(s, part string) bool {
	for i := range len(s) - len(part) + 1 {
		if s[i]|0x20 == part[0] && strings.EqualFold(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
