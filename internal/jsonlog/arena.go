// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// arenaChunk is the size of the blocks an Arena takes from the heap: the largest that the runtime serves from its small
// size classes.
const arenaChunk = 32 << 10

// Arena holds unescaped strings of many values in few allocations. Strings handed out stay valid for ever; they keep
// their block alive. The zero value is ready. Not safe for concurrent use.
type Arena struct {
	b strings.Builder
}

// Join returns the concatenation of two strings.
func (a *Arena) Join(x, y string) string {
	a.reserve(len(x) + len(y))
	start := a.b.Len()
	a.b.WriteString(x)
	a.b.WriteString(y)
	return a.b.String()[start:]
}

// reserve makes room for n bytes. A full block is left to the strings in it: appending beyond its capacity would copy
// it, while the old strings would keep the old block too.
func (a *Arena) reserve(n int) {
	if a.b.Cap()-a.b.Len() < n {
		a.b.Reset()
		a.b.Grow(max(n, arenaChunk))
	}
}

// unescape resolves the escape sequences of s, the inside of a JSON string that was found valid.
func (a *Arena) unescape(s string) string {
	a.reserve(len(s)) // an escape sequence is never shorter than what it stands for
	start := a.b.Len()
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			a.b.WriteString(s)
			return a.b.String()[start:]
		}
		a.b.WriteString(s[:i])
		if c := s[i+1]; c != 'u' {
			a.b.WriteByte(unescaped[c])
			s = s[i+2:]
			continue
		}
		r, n := unicodeEscape(s[i:])
		a.b.WriteRune(r)
		s = s[i+n:]
	}
}

var unescaped = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// unicodeEscape decodes the \uXXXX, or the pair of them, that s begins with, and returns how many bytes it took. Half a
// surrogate pair is U+FFFD, and what follows it is read on its own.
func unicodeEscape(s string) (rune, int) {
	r := hex4(s[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(s[8:12])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

func hex4(s string) rune {
	var r rune
	for i := range 4 {
		r = r<<4 | rune(hexDigit[s[i]]-1)
	}
	return r
}

// hexDigit maps a hexadecimal digit to its value plus one, everything else to zero.
var hexDigit = func() (t [256]uint8) {
	for i := range uint8(10) {
		t['0'+i] = i + 1
	}
	for i := range uint8(6) {
		t['a'+i], t['A'+i] = i+11, i+11
	}
	return t
}()
