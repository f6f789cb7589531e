// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// seeds touch every rule of the grammar, from both sides.
var seeds = []string{
	``, ` `, `null`, ` true `, `false`, `nul`, `True`, `0`, `-0`, `-`, `01`, `1.`, `.5`, `1.5`, `-1.50`, `1e5`, `1E+5`, `1e-5`, `1e`, `1e+`,
	`9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `-9223372036854775809`, `12345678901234567890123`,
	`0.1`, `0.10000000000000001`, `1e400`, `1e-400`, `0e99999999999999999999`, `-0.0`, `1.0`, `100e-2`, `1e22`, `1e23`, `0.000001`,
	`1e99999999999999999999`, `4.9e-324`, `9007199254740993.0`, `+1`, `0x10`, `NaN`, `Infinity`,
	`""`, `"a"`, `"a`, `"\"`, `"\\"`, `"\/\b\f\n\r\t\""`, `"\x"`, `"\u00e9"`, `"\u00E9"`, `"\u12"`, `"\u12g4"`, `"\ud83d\ude00"`, `"\ud83d"`,
	`"\ude00\ud83d"`, `"\ud83d\u0041"`, `"\ud83dx"`, `"\ud83d\n"`, `"\u0000"`, "\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"tab\t\"", "\"\xff\xfe\"",
	"\"\xe2\x82\"", "\"\xed\xa0\x80\"", "\"\u2028 é €\U0001F600\"", "\xff", "\xef\xbb\xbf1", `"12345678"`, `"1234567\""`, `"123456\\8"`,
	"\"1234567\x01\"", `"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u0041bbbbbbbbbbbbbbbbbbbbb"`,
	`[]`, `[ ]`, `[1]`, `[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[1`, `[`, `]`, `[[]]`, `[[],[]]`, `[{}]`, `[{},[1]]`, `[[],{"a":1}]`, `[1]x`, `[1][2]`, `[}`, `{]`,
	`{}`, `{ }`, `{"a":1}`, `{"a" : 1 , "b":[true,null]}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":1`, `{"a"`, `{"`, `{`,
	`{"a":1,"a":2}`, `{"a":{"x":1},"a":{"y":2}}`, `{"\u0061":1,"a":2}`, `{"a\"b":1}`, `{"":""}`, `{1:2}`,
	" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n2 \t\r\n} \t\r\n] \t\r\n", "\v1", "1\x00", `// 1`, `/* */1`,
	`{"message_uuid":"b7c0","time":"2026-09-14T08:12:00.239Z","message":"{\"data\":\"{\\\"level\\\":\\\"INFO\\\",\\\"msgNo\\\":1}\"}"}`,
	`[{"id":1,"tags":["a","b"],"ok":true},{"id":2,"name":null,"nested":{"deep":{"er":[1.5,-2e3]}}}]`,
	strings.Repeat("[", MaxDepth+3) + strings.Repeat("]", MaxDepth+3),
	strings.Repeat(`{"a":`, MaxDepth+2) + `"x"` + strings.Repeat("}", MaxDepth+2),
	strings.Repeat("[", 70) + `{"a":[{}],"b":{}}` + strings.Repeat("]", 69),
	"[" + strings.Repeat(`{"k":0},`, 100) + "1]",
}

func FuzzAgainstStandardLibrary(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	payloads, err := filepath.Glob("../../testdata/*/payloads/*.json")
	require.NoError(f, err)
	require.NotEmpty(f, payloads)
	for _, path := range payloads {
		payload, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		requireAsStandardLibrary(t, raw)
	})
}

// Damage to otherwise good texts is what separates an exact reader from a careless one, so every run of the tests
// tries some thousands of damaged texts, always the same ones.
func TestDamagedTextIsJudgedAsByStandardLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 6000 {
		text := []byte(seeds[rnd.IntN(len(seeds))])
		if len(text) > 1000 {
			continue
		}
		for range 1 + rnd.IntN(3) {
			text = damage(rnd, text)
		}
		requireAsStandardLibrary(t, text)
	}
}

func damage(rnd *rand.Rand, text []byte) []byte {
	const alphabet = "{}[]:,\"\\/ubtn eE+-.0123456789dDaf\x00\x1f\x7f\x80\xc3\xed\xff"
	text = bytes.Clone(text)
	if len(text) == 0 {
		return []byte{alphabet[rnd.IntN(len(alphabet))]}
	}
	at := rnd.IntN(len(text))
	switch rnd.IntN(6) {
	case 0:
		text[at] = alphabet[rnd.IntN(len(alphabet))]
	case 1:
		text[at] ^= 1 << rnd.IntN(8)
	case 2:
		text = append(text[:at], text[at+1:]...)
	case 3:
		text = append(text[:at], append([]byte{alphabet[rnd.IntN(len(alphabet))]}, text[at:]...)...)
	case 4:
		text = text[:at]
	default:
		other := []byte(seeds[rnd.IntN(len(seeds))])
		text = append(text[:at], append(other, text[at:]...)...)
	}
	return text
}
