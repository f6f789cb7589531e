// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"strings"
)

const (
	// maxPairs bounds how many pairs of one text become attributes.
	maxPairs = 64
	// maxJudged bounds how many are compared with each other; a text with more is somebody's attempt.
	maxJudged = 1024
	// maxLead bounds what may stand before the first pair.
	maxLead = 64
)

// pair is one key=value of the text that Cloud Identity Services writes.
type pair struct {
	key, value string
	// quote is what the value stands in; 0 for nothing.
	quote byte
}

// pairText is a text of pairs. Its grammar, and what protects it from values that imitate pairs, is in design.md.
type pairText struct {
	pairs []pair
	// lead and behind are what stands before and behind the pairs; behind is a JSON object or "".
	lead, behind string
	// ambiguous says that a value may imitate pairs, so that those in doubt were left out.
	ambiguous bool
}

// parsePairs reads a text of key=value pairs with blanks, commas or semicolons between them; a value may stand in quotes. It
// appends them to pairs. For any other text the result has no pairs.
func parsePairs(text string, pairs []pair) pairText {
	t := pairText{pairs: pairs}
	rest, quotedOnly, whole := t.cutLead(text), true, true
	for rest != "" {
		if rest[0] == '{' && json.Valid([]byte(rest)) {
			t.behind = rest
			break
		}
		key, value, ok := beginsPair(rest)
		if !ok {
			if rest = afterWord(rest); rest == "" {
				break
			}
			continue
		}
		if len(t.pairs)-len(pairs) == maxJudged {
			whole = false
			break
		}
		p := pair{key: key}
		var ends bool
		p.value, rest, p.quote, ends = cutPairValue(value)
		if !ends {
			// A text that just stops was cut; a long one may have lost what a value has pushed out of it.
			whole = whole && rest == "" && len(text) < longLine && !swallows(value)
			break
		}
		// A quote that a value brings along can swallow the pairs behind it.
		whole = whole && (p.quote == 0 || !swallows(p.value))
		quotedOnly = quotedOnly && p.quote != 0
		t.pairs = append(t.pairs, p)
		rest = trimSeparators(rest)
	}
	if !isPairText(t.pairs[len(pairs):], quotedOnly && t.lead == "") {
		return pairText{pairs: pairs}
	}
	t.judge(len(pairs), whole)
	return t
}

// isPairText tells pairs from prose that has an equals sign in it.
func isPairText(found []pair, quotedOnly bool) bool {
	if quotedOnly {
		return len(found) > 0
	}
	if len(found) < 2 {
		return false
	}
	for i := range found {
		for _, key := range [...]string{"action", "state", "objectType", "ipAddress"} {
			if sameKey(found[i].key, key) {
				return true
			}
		}
	}
	return false
}

// cutLead cuts off what stands before the first pair: one word, and before that what a log's header is made of. Prose is not
// cut off, since a name in it could imitate pairs.
func (t *pairText) cutLead(text string) string {
	rest := trimSeparators(text)
	if _, _, ok := beginsPair(rest); ok {
		return rest
	}
	for i := 0; i < len(rest) && i < maxLead && rest[i] != '"' && rest[i] != '\''; i++ {
		if rest[i] != ' ' {
			continue
		}
		if _, _, ok := beginsPair(rest[i+1:]); ok {
			if t.lead = rest[:i]; isHeader(t.lead[:strings.LastIndexByte(t.lead, ' ')+1]) {
				return rest[i+1:]
			}
			break
		}
	}
	return ""
}

// isHeader reports whether words are times, levels, numbers or signs.
func isHeader(words string) bool {
	for word := range strings.FieldsSeq(words) {
		if strings.ContainsFunc(word, isLowerRune) && !strings.ContainsAny(word, "0123456789[") {
			return false
		}
	}
	return true
}

// beginsPair splits what follows a key and its equals sign; the value still has its end to be found.
func beginsPair(s string) (key, value string, ok bool) {
	if s == "" || !isLower(s[0]) && !isUpper(rune(s[0])) && s[0] != '_' {
		return "", "", false
	}
	n := 1
	for n < len(s) && n < maxKey && isKeyByte(s[n]) {
		n++
	}
	after := strings.TrimLeft(s[n:], " ")
	if after == "" || after[0] != '=' {
		return "", "", false
	}
	return s[:n], after[1:], true
}

// isKeyByte: names may be URNs of SCIM schemas.
func isKeyByte(c byte) bool {
	return isLower(c) || isUpper(rune(c)) || isDigit(c) || strings.IndexByte("_.-:$#", c) >= 0
}

// swallows reports whether a pair that counts begins inside of a value.
func swallows(value string) bool {
	for i := 0; i < len(value); i++ {
		if strings.IndexByte(separators, value[i]) < 0 {
			continue
		}
		if key, _, ok := beginsPair(value[i+1:]); ok && counts(key) {
			return true
		}
	}
	return false
}

// countingKeys are the names of the pairs that the answers are made of.
var countingKeys = [...]string{
	"action", "state", "objectType", "objectId", "ipAddress", "userIdentifier", "callerMail", "caller", "serviceProviderName",
}

func counts(key string) bool {
	for _, k := range countingKeys {
		if sameKey(k, key) {
			return true
		}
	}
	return false
}

// cutPairValue cuts the value off. ends is false if its end cannot be told; rest is then "" if the text just stops.
func cutPairValue(s string) (value, rest string, quote byte, ends bool) {
	s = strings.TrimLeft(s, " ")
	if s == "" {
		return "", "", 0, true
	}
	if quote = s[0]; quote == '"' || quote == '\'' {
		s = s[1:]
		if end := closingQuote(s, quote); end >= 0 {
			return s[:end], s[end+1:], quote, true
		}
		if strings.IndexByte(s, quote) < 0 {
			s = ""
		}
		return "", s, quote, false
	}
	if _, _, ok := beginsPair(s); ok {
		return "", s, 0, true
	}
	end := bareEnd(s)
	return s[:end], s[end:], 0, true
}

// closingQuote finds the quote that ends a value: the first that the next pair, JSON or the end of the text follows, or else
// the only one there is.
func closingQuote(s string, quote byte) int {
	first, several := -1, false
	for from := 0; ; {
		i := strings.IndexByte(s[from:], quote)
		if i < 0 {
			break
		}
		i += from
		if endsHere(s[i+1:]) {
			return i
		}
		several = first >= 0
		if first < 0 {
			first = i
		}
		from = i + 1
	}
	if several {
		return -1
	}
	return first
}

func endsHere(after string) bool {
	next := trimSeparators(after)
	if next == "" {
		return true
	}
	if len(next) == len(after) {
		return false
	}
	if next[0] == '{' {
		return next[len(next)-1] == '}' && json.Valid([]byte(next))
	}
	_, _, ok := beginsPair(next)
	return ok
}

// bareEnd finds the end of a value without quotes: before a separator behind which the next pair, JSON, a last bare word or the end follows.
func bareEnd(s string) int {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(separators, s[i]) < 0 {
			continue
		}
		after := s[i:]
		next := trimSeparators(after)
		if endsHere(after) || strings.IndexByte(" \t", s[i]) < 0 && !strings.ContainsAny(next, separators+"=\"") {
			return i
		}
	}
	return len(s)
}

// afterWord skips a word that belongs to no pair.
func afterWord(s string) string {
	i := strings.IndexAny(s, separators)
	if i < 0 {
		return ""
	}
	return trimSeparators(s[i:])
}

const separators = " \t\r\n,;"

func trimSeparators(s string) string {
	return strings.TrimLeft(s, separators)
}
