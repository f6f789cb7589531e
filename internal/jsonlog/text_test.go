// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextReplacesEachInvalidByteAsStandardLibraryDoes(t *testing.T) {
	for _, raw := range []string{"plain", "é€\U0001F600", "\xff", "a\xff\xfeb", "\xe2\x82", "\xed\xa0\x80", "\xf0\x9f\x98", "é\x80"} {
		var want string
		require.NoError(t, json.Unmarshal([]byte(`"`+raw+`"`), &want))
		require.Equal(t, want, Text([]byte(raw)), "%q", raw)
	}
}

func TestTextIsACopy(t *testing.T) {
	b := []byte(`"abc"`)
	text := Text(b)
	b[1] = 'x'
	require.Equal(t, `"abc"`, text)
}

func TestArenaKeepsStringsAcrossItsBlocks(t *testing.T) {
	var a Arena
	var got, want []string
	for i := range 3000 {
		s := strings.Repeat(string(rune('a'+i%26)), i%40)
		got = append(got, a.Join(s, "-"), a.unescape(s+`\n`))
		want = append(want, s+"-", s+"\n")
	}
	large := strings.Repeat("x", 3*arenaChunk)
	got, want = append(got, a.Join(large, large)), append(want, large+large)
	require.Equal(t, want, got)
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	for literal, want := range map[string]any{
		"0":                             int64(0),
		"-17":                           int64(-17),
		"9007199254740993":              int64(9007199254740993),
		"9223372036854775807":           int64(9223372036854775807),
		"9223372036854775808":           "9223372036854775808",
		"12345678901234567890123":       "12345678901234567890123",
		"100000000000000000000":         1e20,
		"0.1":                           0.1,
		"1.50":                          1.5,
		"1.0":                           1.0,
		"1e3":                           1000.0,
		"-2.5E-3":                       -0.0025,
		"0.1000000000000000055":         "0.1000000000000000055",
		"9007199254740993.0":            "9007199254740993.0",
		"1e400":                         "1e400",
		"1e-400":                        "1e-400",
		"1e99999999999999999999":        "1e99999999999999999999",
		"0.0":                           0.0,
		"0e99999999999999999999":        0.0,
		"1" + strings.Repeat("0", 300):  1e300,
		"0." + strings.Repeat("0", 400): 0.0,
	} {
		require.Equal(t, want, written(parse(t, literal)), literal)
	}
}

// Reading one record costs no allocation beyond what its values take in pdata.
func TestParsingDoesNotAllocate(t *testing.T) {
	var doc, inner Doc
	text := `{"id":7,"plain":"text","escaped":"a\"b","message":"{\"data\":{\"x\":[1,2,3]}}"}`
	allocs := testing.AllocsPerRun(200, func() {
		if doc.Parse(text) != nil || doc.Root().Get("message").Expand(&inner).Get("data").Len() != 1 || doc.Root().Get("escaped").Str() != `a"b` {
			t.Fail()
		}
	})
	require.Less(t, allocs, 1.0)
}

func TestTakeReadsInPlace(t *testing.T) {
	b := []byte(`"abc"`)
	require.Equal(t, `"abc"`, Take(b))
	require.Zero(t, testing.AllocsPerRun(10, func() { Take(b) }))
	require.Equal(t, "\"\uFFFD\"", Take([]byte("\"\xff\"")))
	require.Empty(t, Take(nil))
}
