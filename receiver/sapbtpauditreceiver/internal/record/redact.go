// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// redactedToken stands where a token stood, as in the lines of the authorization service that keep theirs to themselves.
const redactedToken = "<TOKEN>"

// minToken is the length from which on a value, or the first part of a JSON Web Token, is one.
const minToken = 8

// redact takes the values of tokens out of a record's text: what follows tokenValue= or a member whose name ends with
// _token, and JSON Web Tokens wherever they stand. A token holds nothing that JSON must escape, so this is right at every
// depth of JSON in strings, and what it leaves is as valid as before.
func redact(text string) (string, bool) {
	if !holds(text, 'J', "eyJ", "eyJ") && !holds(text, 'k', "okenValue", "_token") {
		return text, false
	}
	var sb strings.Builder
	done := 0
	for i := 0; i < len(text); {
		start, end := tokenAt(text, i)
		if end < 0 {
			i = start
			continue
		}
		sb.WriteString(text[done:start])
		sb.WriteString(redactedToken)
		i, done = end, end
	}
	if done == 0 {
		return text, false
	}
	sb.WriteString(text[done:])
	return sb.String(), true
}

// holds looks for two words by a letter of both that is rare in records.
func holds(text string, letter byte, word, other string) bool {
	at, otherAt := strings.IndexByte(word, letter), strings.IndexByte(other, letter)
	for i := 0; ; i++ {
		next := strings.IndexByte(text[i:], letter)
		if next < 0 {
			return false
		}
		i += next
		if i >= at && strings.HasPrefix(text[i-at:], word) || i >= otherAt && strings.HasPrefix(text[i-otherAt:], other) {
			return true
		}
	}
}

// tokenAt looks for a token from i on: where it starts and ends, or where to go on looking and -1.
func tokenAt(text string, i int) (start, end int) {
	switch {
	case text[i] == 'e' && strings.HasPrefix(text[i:], "eyJ") && (i == 0 || !isTokenByte(text[i-1]) || text[i-1] == '='):
		if end = webTokenEnd(text, i); end > 0 {
			return i, end
		}
	case text[i] == 'o' && strings.HasPrefix(text[i:], "okenValue"):
		return valueAt(text, i+len("okenValue"), 1)
	case text[i] == '_' && strings.HasPrefix(text[i:], "_token"):
		return valueAt(text, i+len("_token"), minToken)
	}
	return i + 1, -1
}

// valueAt finds the value behind a name: name=value, or a member of an object, whatever the depth of escaping.
func valueAt(text string, i, least int) (start, end int) {
	start = i
	for _, sign := range []string{"=", "u003d", "u003D"} {
		if at := skipEscapes(text, i); strings.HasPrefix(text[at:], sign) {
			start = at + len(sign)
			break
		}
	}
	if start == i {
		at := skipEscapes(text, i)
		if at >= len(text) || text[at] != '"' && text[at] != '\'' {
			return i, -1
		}
		if at = skipBlanks(text, at+1); at >= len(text) || text[at] != ':' {
			return i, -1
		}
		at = skipEscapes(text, skipBlanks(text, at+1))
		if at >= len(text) || text[at] != '"' && text[at] != '\'' {
			return i, -1
		}
		start = at + 1
	}
	for end = start; end < len(text) && isTokenByte(text[end]); end++ {
	}
	if end-start < least {
		return end, -1
	}
	return start, end
}

func skipEscapes(text string, i int) int {
	for i < len(text) && text[i] == '\\' {
		i++
	}
	return i
}

// webTokenEnd is the end of the JSON Web Token at i, which may be cut behind its first point; 0 if there is none.
func webTokenEnd(text string, i int) int {
	end, points, first := i, 0, 0
	for end < len(text) && isTokenByte(text[end]) {
		if text[end] == '.' {
			if points++; points == 1 {
				first = end - i
			}
		}
		end++
	}
	if points == 0 || first < minToken {
		return 0
	}
	return end
}

// isTokenByte tells what bearer tokens are made of, RFC 6750.
func isTokenByte(c byte) bool {
	return isLetter(c) || isDigit(c) || strings.IndexByte("-._~+/=", c) >= 0
}
