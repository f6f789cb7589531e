// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// arenaChunk is the size of the blocks an Arena takes from the heap: the largest that the runtime serves from its small
// size classes.
const arenaChunk = 32 << 10

// Arena holds unescaped strings of many values in few allocations. Strings handed out stay valid for ever; they keep
// their block alive. The zero value is ready. Not safe for concurrent use.
type Arena struct {
	block []byte // what is in use is never written again
}

// Join returns the concatenation of parts.
func (a *Arena) Join(parts ...string) string {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	buf := a.room(n)[:0]
	for _, part := range parts {
		buf = append(buf, part...)
	}
	return a.take(n)
}

// room returns n bytes to be written, of which take makes a string. A full block is left to the strings in it.
func (a *Arena) room(n int) []byte {
	if cap(a.block)-len(a.block) < n {
		a.block = make([]byte, 0, max(n, arenaChunk))
	}
	used := len(a.block)
	return a.block[used : used+n : used+n]
}

// take makes a string of the first n bytes of the room, without a copy.
func (a *Arena) take(n int) string {
	used := len(a.block)
	a.block = a.block[:used+n]
	return unsafe.String(unsafe.SliceData(a.block[used:]), n) //nolint:gosec // nobody writes these bytes again
}

// unescape resolves the escape sequences of s, the inside of a JSON string that was found valid.
func (a *Arena) unescape(s string) string {
	// An escape sequence is never shorter than what it stands for. Whole words are copied, so there may be some rubbish
	// behind the end.
	buf, n := a.room(len(s)+8), 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			word := load64(s, i)
			binary.LittleEndian.PutUint64(buf[n:], word)
			plain := bits.TrailingZeros64(backslashes(word)) >> 3 // 8 if there is none
			i, n = i+plain, n+plain
			if plain == 8 {
				continue
			}
		} else if s[i] != '\\' {
			buf[n] = s[i]
			i, n = i+1, n+1
			continue
		}
		for i < len(s) && s[i] == '\\' { // what is wrapped twice has several in a row
			if c := s[i+1]; c != 'u' {
				buf[n] = unescaped[c]
				i, n = i+2, n+1
				continue
			}
			r, size := unicodeEscape(s[i:])
			n = len(utf8.AppendRune(buf[:n], r))
			i += size
		}
	}
	return a.take(n)
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
