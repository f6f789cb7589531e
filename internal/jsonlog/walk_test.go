// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// walkAll goes into every container.
func walkAll(w *Walker, text string, i int) int {
	if i < len(text) && text[i] == '{' {
		return w.Object(i, func(_, _ string, at int) int { return walkAll(w, text, at) })
	}
	if i < len(text) && text[i] == '[' {
		return w.Array(i, func(at int) int { return walkAll(w, text, at) })
	}
	return w.Skip(i, 0)
}

func TestWalkerAcceptsWhatTheStandardLibraryAccepts(t *testing.T) {
	for _, text := range []string{
		`{"a":[1,{"b":"\u00fc]\""}],"c":null}`, `[]`, `{}`, ` [ 1 , 2 ] `, `[1,]`, `{"a":1,}`, `{"a"}`, `{a:1}`, `[1 2]`, `"x`, `"\q"`, `-`, `01`, `1.`, `1e`,
		`tru`, `nulll`, `[tru`, `{"a":fal`, ``, `[`, `{`, `{"a"`, `{"a":`, `[1`, `[1,`, `"\u12`, `]`, "\"\x01\"",
	} {
		for skip, walk := range map[bool]func(w *Walker) int{
			true:  func(w *Walker) int { return w.Skip(w.Blanks(0), 0) },
			false: func(w *Walker) int { return walkAll(w, text, w.Blanks(0)) },
		} {
			w := NewWalker(text)
			end := walk(w)
			if end >= 0 && w.Blanks(end) < len(text) {
				end = -1
			}
			require.Equal(t, json.Valid([]byte(text)), end >= 0, "%q %v", text, skip)
		}
	}
}

func TestWalkerTellsCutTextFromWrongText(t *testing.T) {
	const whole = `{"a":[true,false,null,-1.5e+3,"\u00fc\n"],"b":{"c":"d"}}`
	for cut := range len(whole) {
		w := NewWalker(whole[:cut])
		require.Negative(t, w.Skip(0, 0))
		require.True(t, w.EndsEarly(), whole[:cut])
	}
	for _, wrong := range []string{`{"a":trux`, `[1 2]`, `{a`, `[nul]`, `"\q`} {
		w := NewWalker(wrong)
		require.Negative(t, w.Skip(0, 0))
		require.False(t, w.EndsEarly(), wrong)
	}
}

func TestWalkerKeepsBytesThatAreNoText(t *testing.T) {
	const text = "{\"a\xff\":\"\xfe\\n\"}"
	w := NewWalker(text)
	end := w.Object(0, func(name, written string, at int) int {
		require.Equal(t, "a\xff", name)
		require.Equal(t, "\"a\xff\"", written)
		end := w.Skip(at, 1)
		require.Equal(t, "\xfe\n", w.Unquote(at, end))
		return end
	})
	require.Equal(t, len(text), end)
}
