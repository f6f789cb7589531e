// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// arenaChunk is the size of the blocks an Arena takes from the heap: the largest that the runtime serves from its small
// size classes.
const arenaChunk = 32 << 10

// maxScratch is the longest string that leaves its working memory behind for the next.
const maxScratch = 1 << 20

// Arena holds unescaped strings of many values in few allocations. Strings handed out stay valid for ever; they keep
// their block alive. The zero value is ready. Not safe for concurrent use.
type Arena struct {
	b       strings.Builder
	scratch []byte
}

// Join returns the concatenation of parts.
func (a *Arena) Join(parts ...string) string {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	a.reserve(n)
	start := a.b.Len()
	for _, part := range parts {
		a.b.WriteString(part)
	}
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
	// An escape sequence is never shorter than what it stands for. Whole words are copied, so there may be some rubbish
	// behind the end.
	if len(a.scratch) < len(s)+8 {
		a.scratch = make([]byte, max(len(s)+8, 4<<10))
	}
	buf, n := a.scratch, 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			word := load64(s, i)
			binary.LittleEndian.PutUint64(buf[n:], word)
			plain := bits.TrailingZeros64(backslashes(word)) >> 3 // 8 if there is none
			i, n = i+plain, n+plain
			if plain == 8 {
				continue
			}
		}
		for i+1 < len(s) && s[i] == '\\' && s[i+1] != 'u' {
			buf[n] = unescaped[s[i+1]]
			i, n = i+2, n+1 // what is wrapped twice has several in a row
		}
		switch {
		case i == len(s):
		case s[i] != '\\':
			buf[n] = s[i]
			i, n = i+1, n+1
		default:
			r, size := unicodeEscape(s[i:])
			n = len(utf8.AppendRune(buf[:n], r))
			i += size
		}
	}
	a.reserve(n)
	start := a.b.Len()
	a.b.Write(buf[:n])
	if cap(buf) > maxScratch {
		a.scratch = nil
	}
	return a.b.String()[start:]
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
