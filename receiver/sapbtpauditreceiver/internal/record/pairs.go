// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// maxPairs bounds how many pairs one text yields.
const maxPairs = 64

// pair is one key="value" of the text that Cloud Identity Services writes.
type pair struct {
	key, value string
}

// parsePairs reads a text that is nothing but key="value" pairs, with blanks, commas or semicolons between them, and
// appends them to pairs. A value ends at a quote that the next pair or the end of the text follows, so it may have quotes
// inside. For any other text the result is false.
func parsePairs(text string, pairs []pair) ([]pair, bool) {
	found := 0
	for rest := trimSeparators(text); rest != ""; found++ {
		key, value, ok := beginsPair(rest)
		if !ok || found == maxPairs {
			return pairs[:len(pairs)-found], false
		}
		end := closingQuote(value)
		if end < 0 {
			return pairs[:len(pairs)-found], false
		}
		pairs = append(pairs, pair{key: key, value: value[:end]})
		rest = trimSeparators(value[end+1:])
	}
	return pairs, found > 0
}

// beginsPair splits what follows a key="; the value still has its end to be found.
func beginsPair(s string) (key, value string, ok bool) {
	n := 0
	for n < len(s) && n < maxKey && (isLower(s[n]) || isUpper(rune(s[n])) || isDigit(s[n]) || s[n] == '_' || s[n] == '.' || s[n] == '-') {
		n++
	}
	value, ok = strings.CutPrefix(s[n:], `="`)
	return s[:n], value, ok && n > 0
}

func closingQuote(s string) int {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '"')
		if i < 0 {
			return -1
		}
		i += from
		after := s[i+1:]
		next := trimSeparators(after)
		if next == "" {
			return i
		}
		if _, _, ok := beginsPair(next); ok && len(next) < len(after) {
			return i
		}
		from = i + 1
	}
}

func trimSeparators(s string) string {
	return strings.TrimLeft(s, " \t\r\n,;")
}
