// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import "math/bits"

// stdDepth is the nesting at which encoding/json gives up.
const stdDepth = 10000

// scanner knows the grammar. Its methods take the position at which something begins and return the one behind it, or
// -1 with err set.
type scanner struct {
	text  string
	err   *SyntaxError
	known Known
}

// Known is a string of a text that was found valid. The zero Known is none.
type Known struct {
	start, end int // without its quotes
	escaped    bool
}

func (s *scanner) fail(at int, what string) int {
	s.err = &SyntaxError{Offset: at, what: what}
	return -1
}

// space skips blanks.
func (s *scanner) space(i int) int {
	for i < len(s.text) {
		switch s.text[i] {
		case ' ', '\t', '\r', '\n':
			i++
		default:
			return i
		}
	}
	return i
}

// str reads the string whose opening quote is at i-1. The result is the position of the closing quote.
func (s *scanner) str(i int) (end int, escaped bool) {
	text := s.text
	if i == s.known.start {
		return s.known.end, s.known.escaped
	}
	for {
		if i+8 <= len(text) {
			stop := stops(load64(text, i))
			if stop == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(stop) >> 3
		} else if i >= len(text) {
			return s.fail(i, "unterminated string"), false
		}
		switch c := text[i]; {
		case c == '"':
			return i, escaped
		case c == '\\':
			escaped = true
			for i < len(text) && text[i] == '\\' { // what is wrapped twice has several in a row
				if i+1 < len(text) && unescaped[text[i+1]] != 0 {
					i += 2
				} else if i = s.unicode(i); i < 0 {
					return -1, false
				}
			}
		case c < ' ':
			return s.fail(i, "control character in a string"), false
		default: // one of the last seven bytes
			i++
		}
	}
}

// unicode reads the only escape sequence that is longer than two bytes.
func (s *scanner) unicode(i int) int {
	text := s.text
	switch {
	case i+1 >= len(text):
		return s.fail(i+1, "unterminated string")
	case text[i+1] != 'u':
		return s.fail(i+1, "unknown escape sequence")
	}
	for j := i + 2; j < i+6; j++ {
		if j >= len(text) || hexDigit[text[j]] == 0 {
			return s.fail(j, "unfinished \\u escape")
		}
	}
	return i + 6
}

func load64(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// stops marks, in the highest bit of each of eight bytes, those that end a run of plain string text: quote, backslash,
// control character. Only the lowest mark is exact, as a subtraction may borrow from the bytes above a hit.
func stops(x uint64) uint64 {
	return ((x - ones*' ') | ((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones)) &^ x & (ones * 0x80)
}

// backslashes marks the backslashes among eight bytes in the same way.
func backslashes(x uint64) uint64 {
	x ^= ones * '\\'
	return (x - ones) &^ x & (ones * 0x80)
}

const ones = 0x0101010101010101

// number reads a number.
func (s *scanner) number(i int) int {
	text := s.text
	if text[i] == '-' {
		i++
	}
	if i < len(text) && text[i] == '0' {
		i++
	} else if i = s.digits(i); i < 0 {
		return i
	}
	if i < len(text) && text[i] == '.' {
		if i = s.digits(i + 1); i < 0 {
			return i
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits reads at least one digit.
func (s *scanner) digits(i int) int {
	start := i
	for i < len(s.text) && s.text[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return s.fail(i, "digit missing")
	}
	return i
}

// literal reads the given word.
func (s *scanner) literal(i int, word string) int {
	if len(s.text)-i < len(word) || s.text[i:i+len(word)] != word {
		return s.fail(i, "unknown literal")
	}
	return i + len(word)
}

// scalar reads everything that is neither object nor array.
func (s *scanner) scalar(i int) int {
	if i >= len(s.text) {
		return s.fail(i, "value missing")
	}
	switch c := s.text[i]; {
	case c == '"':
		end, _ := s.str(i + 1)
		if end < 0 {
			return end
		}
		return end + 1
	case c == '-' || c-'0' <= 9:
		return s.number(i)
	case c == 't':
		return s.literal(i, "true")
	case c == 'f':
		return s.literal(i, "false")
	case c == 'n':
		return s.literal(i, "null")
	}
	return s.fail(i, "value expected")
}

// name reads a member's name and the colon behind it. It returns the position of the name's closing quote too.
func (s *scanner) name(i int) (next, end int, escaped bool) {
	if i >= len(s.text) || s.text[i] != '"' {
		return s.fail(i, "member name expected"), 0, false
	}
	end, escaped = s.str(i + 1)
	if end < 0 {
		return end, 0, false
	}
	i = s.space(end + 1)
	if i >= len(s.text) || s.text[i] != ':' {
		return s.fail(i, "colon expected"), 0, false
	}
	return s.space(i + 1), end, escaped
}
