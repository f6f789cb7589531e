// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// judge looks for names that are there twice. A value that a stranger typed can imitate pairs, but only behind its own
// beginning. So of equal names counts
//
//   - the one before the first name whose value is typed,
//   - else the last one, if the text is whole and no further typed value begins between the first and it: the service
//     writes each name once, and its own pair follows the imitation.
//
// Where there are equal names, everything else behind the first typed name may be part of its value and is left out.
func (t *pairText) judge(from int, whole bool) {
	pairs := t.pairs[from:]
	if whole && !hasTwins(pairs) {
		return
	}
	t.ambiguous = true
	typed := 0
	for typed < len(pairs) && !isTyped(pairs[typed].key) {
		typed++
	}
	var kept []pair
	for i := range pairs {
		first, last := twins(pairs, i)
		switch {
		case i < typed && first == i && (last == i || last >= typed && !hasTwin(pairs[:typed], i)):
			kept = append(kept, pairs[i])
		case whole && first >= typed && first < i && last == i && !isTyped(pairs[i].key) && !anyTyped(pairs[first+1:i]):
			kept = append(kept, pairs[i])
		}
	}
	t.pairs = append(t.pairs[:from], kept...)
}

// hasTwins reports whether two pairs have the same name.
func hasTwins(pairs []pair) bool {
	if len(pairs) > maxPairs {
		seen := make(map[string]struct{}, len(pairs))
		for i := range pairs {
			seen[strings.ToLower(plainKey.Replace(pairs[i].key))] = struct{}{}
		}
		return len(seen) < len(pairs)
	}
	for i := range pairs {
		if hasTwin(pairs[:i+1], i) {
			return true
		}
	}
	return false
}

// hasTwin reports whether another of the pairs has the name of the i-th.
func hasTwin(pairs []pair, i int) bool {
	for k := range pairs {
		if k != i && sameKey(pairs[k].key, pairs[i].key) {
			return true
		}
	}
	return false
}

// twins are the first and the last of the pairs that have the name of the i-th.
func twins(pairs []pair, i int) (first, last int) {
	first, last = i, i
	for k := range pairs {
		if sameKey(pairs[k].key, pairs[i].key) {
			first, last = min(first, k), max(last, k)
		}
	}
	return first, last
}

var plainKey = strings.NewReplacer("_", "", "-", "", ".", "", ":", "", "$", "", "#", "")

// sameKey reports whether two names are one for a reader: ipAddress, IPADDRESS, ip_address.
func sameKey(a, b string) bool {
	for {
		for a != "" && !isLetter(a[0]) && !isDigit(a[0]) {
			a = a[1:]
		}
		for b != "" && !isLetter(b[0]) && !isDigit(b[0]) {
			b = b[1:]
		}
		if a == "" || b == "" {
			return a == b
		}
		if lower(a[0]) != lower(b[0]) {
			return false
		}
		a, b = a[1:], b[1:]
	}
}

func anyTyped(pairs []pair) bool {
	for i := range pairs {
		if isTyped(pairs[i].key) {
			return true
		}
	}
	return false
}

// typedWords are in the names of values that people choose: logins, names, mail addresses, and whatever was changed.
var typedWords = [...]string{"user", "name", "mail", "caller", "value", "login", "subject", "display", "description", "identifier", "title", "text"}

func isTyped(key string) bool {
	for _, word := range typedWords {
		for i := 0; i+len(word) <= len(key); i++ {
			if strings.EqualFold(key[i:i+len(word)], word) {
				return true
			}
		}
	}
	return false
}
