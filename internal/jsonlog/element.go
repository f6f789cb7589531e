// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

// NextElement finds the next element of an array, of which text is known to be the inside, from the offset i on: where it
// starts and where it ends. It proves nothing; the strings may hold bytes that are not UTF-8.
func NextElement(text string, i int) (start, end int) {
	for i < len(text) && isBetween(text[i]) {
		i++
	}
	return i, valueEnd(text, i)
}

// isBetween tells what stands between the elements of an array.
func isBetween(c byte) bool {
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n'
}

// valueEnd is the offset behind the JSON value at i.
func valueEnd(text string, i int) int {
	depth, quoted := 0, false
	for ; i < len(text); i++ {
		for quoted && i+8 <= len(text) && stops(load64(text, i)) == 0 {
			i += 8
		}
		if i == len(text) {
			break
		}
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
			continue
		case c == '"':
			quoted = !quoted
			if quoted {
				continue
			}
		case quoted:
			continue
		case c == '{' || c == '[':
			depth++
			continue
		case depth == 0 && (isBetween(c) || c == ']' || c == '}'):
			return i
		case c == ']' || c == '}':
			depth--
		default:
			continue
		}
		if depth == 0 { // a bracket or a string has ended
			return i + 1
		}
	}
	return len(text)
}
