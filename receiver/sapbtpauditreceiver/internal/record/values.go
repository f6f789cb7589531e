// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"time"
)

// present is s, or "" if s is one of the ways in which producers write that there is no value.
func present(s string) string {
	switch s {
	case "", "-", "undefined":
		return ""
	}
	if s[0] <= ' ' && strings.TrimSpace(s) == "" {
		return ""
	}
	return s
}

func firstPresent(values ...string) string {
	for _, v := range values {
		if v = present(v); v != "" {
			return v
		}
	}
	return ""
}

// timeLayouts are those seen or documented for event times, and what careless writers make of them. Every one of them
// accepts a fraction of a second.
var timeLayouts = [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700"}

// parseTime reads an event's time; without a zone it is UTC. The zero time stands for everything that cannot be read or
// that nanoseconds since 1970 cannot express.
func parseTime(s string) time.Time {
	s = strings.TrimSpace(s)
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			if t = t.UTC(); t.Year() >= 1970 && t.Year() < 2262 {
				return t
			}
			break
		}
	}
	return time.Time{}
}

// snakeCase turns objectType into object_type and wsID into ws_id.
func snakeCase(s string) string {
	if strings.IndexFunc(s, isUpper) < 0 {
		return s
	}
	var sb strings.Builder
	sb.Grow(len(s) + 4)
	for i := range len(s) {
		c := s[i]
		if isUpper(rune(c)) {
			afterLower := i > 0 && (isLower(s[i-1]) || isDigit(s[i-1]))
			endsAcronym := i > 0 && isUpper(rune(s[i-1])) && i+1 < len(s) && isLower(s[i+1])
			if afterLower || endsAcronym {
				sb.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		sb.WriteByte(c)
	}
	return sb.String()
}

func isLowerRune(r rune) bool { return 'a' <= r && r <= 'z' }

func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
