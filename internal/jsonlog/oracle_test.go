// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// requireAsStandardLibrary checks that this package and encoding/json agree about text in every respect: whether it is
// JSON, what value it has, what its elements are if it is an array, and that a value skipped for being nested too deeply is
// judged in the same way.
func requireAsStandardLibrary(t *testing.T, raw []byte) {
	t.Helper()
	text := Text(raw)
	valid := json.Valid(raw)

	var doc Doc
	err := doc.Parse(text)
	if valid {
		require.NoError(t, err, "encoding/json accepts %q", raw)
	} else {
		requireSyntaxError(t, err, text)
		require.Equal(t, None, doc.Root().Kind())
	}

	var deep Doc
	wrapped := strings.Repeat("[", MaxDepth+1) + text + strings.Repeat("]", MaxDepth+1)
	deepErr := deep.Parse(wrapped)
	if json.Valid([]byte(wrapped)) {
		require.NoError(t, deepErr, "encoding/json accepts %q", wrapped)
	} else {
		requireSyntaxError(t, deepErr, wrapped)
	}

	requireSameElements(t, raw)
	if !valid {
		return
	}
	want := decode(t, raw)
	requireSameValue(t, want, doc.Root(), 0)
	got := pcommon.NewValueEmpty()
	doc.Root().WriteTo(got)
	requireSameWritten(t, want, got, 0)
}

func requireSyntaxError(t *testing.T, err error, text string) {
	t.Helper()
	var syntax *SyntaxError
	require.ErrorAs(t, err, &syntax, "encoding/json refuses %q", text)
	require.GreaterOrEqual(t, syntax.Offset, 0)
	require.LessOrEqual(t, syntax.Offset, len(text))
}

func decode(t *testing.T, raw []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	return v
}

// requireSameElements compares Elements with a token reader of encoding/json over the same text.
func requireSameElements(t *testing.T, raw []byte) {
	t.Helper()
	var doc Doc
	var got []string
	var failed error
	for el, err := range Elements(Text(raw), &doc) {
		require.NoError(t, failed, "nothing may follow an error")
		if err != nil {
			failed = err
			require.Equal(t, None, el.Kind())
			continue
		}
		got = append(got, strings.Clone(el.Raw()))
	}
	var want []json.RawMessage
	isArray := json.Unmarshal(raw, &want) == nil && bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("["))
	if !isArray {
		requireSyntaxError(t, failed, Text(raw))
		for _, el := range got {
			require.True(t, json.Valid([]byte(el)), "half an element: %q", el)
		}
		return
	}
	require.NoError(t, failed)
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, Text(want[i]), got[i])
	}
}

func requireSameValue(t *testing.T, want any, got Node, depth int) {
	t.Helper()
	if keptAsText(want, depth) {
		require.Equal(t, String, got.Kind())
		require.Equal(t, want, decode(t, []byte(got.Str())))
		require.Equal(t, got.Str(), got.Raw())
		return
	}
	require.Equal(t, want, decode(t, []byte(got.Raw())))
	switch want := want.(type) {
	case nil:
		require.Equal(t, Null, got.Kind())
	case bool:
		v, ok := got.Bool()
		require.True(t, ok)
		require.Equal(t, want, v)
	case json.Number:
		require.Equal(t, Number, got.Kind())
		require.Equal(t, want.String(), got.Raw())
		v, ok := got.Int()
		std, err := want.Int64()
		require.Equal(t, err == nil, ok)
		if ok {
			require.Equal(t, std, v)
		}
	case string:
		require.Equal(t, String, got.Kind())
		require.Equal(t, want, got.Str())
	case []any:
		require.Equal(t, Array, got.Kind())
		require.Equal(t, len(want), got.Len())
		i := 0
		for el := range got.Children() {
			requireSameValue(t, want[i], el, depth+1)
			i++
		}
		require.Equal(t, len(want), i)
	case map[string]any:
		require.Equal(t, Object, got.Kind())
		names := map[string]bool{}
		for member := range got.Children() {
			names[member.Key()] = true
		}
		require.Len(t, names, len(want))
		for name, v := range want {
			requireSameValue(t, v, got.Get(name), depth+1)
		}
	}
}

func requireSameWritten(t *testing.T, want any, got pcommon.Value, depth int) {
	t.Helper()
	if keptAsText(want, depth) {
		require.Equal(t, want, decode(t, []byte(got.Str())))
		return
	}
	switch want := want.(type) {
	case nil:
		require.Equal(t, pcommon.ValueTypeEmpty, got.Type())
	case json.Number:
		requireSameNumber(t, want.String(), got)
	case []any:
		require.Equal(t, pcommon.ValueTypeSlice, got.Type())
		require.Equal(t, len(want), got.Slice().Len())
		for i := range want {
			requireSameWritten(t, want[i], got.Slice().At(i), depth+1)
		}
	case map[string]any:
		require.Equal(t, pcommon.ValueTypeMap, got.Type())
		require.Equal(t, len(want), got.Map().Len())
		for name, v := range want {
			written, ok := got.Map().Get(name)
			require.True(t, ok)
			requireSameWritten(t, v, written, depth+1)
		}
	default:
		require.Equal(t, want, got.AsRaw())
	}
}

var integer = regexp.MustCompile(`^(0|-?[1-9]\d*)$`)

// requireSameNumber decides with exact arithmetic which type a number deserves.
func requireSameNumber(t *testing.T, literal string, got pcommon.Value) {
	t.Helper()
	if v, err := strconv.ParseInt(literal, 10, 64); err == nil && integer.MatchString(literal) {
		require.Equal(t, pcommon.ValueTypeInt, got.Type(), literal)
		require.Equal(t, v, got.Int())
		return
	}
	f, err := strconv.ParseFloat(literal, 64)
	fits := err == nil
	if fits && f == 0 {
		fits = !strings.ContainsAny(strings.FieldsFunc(literal, func(r rune) bool { return r == 'e' || r == 'E' })[0], "123456789")
	} else if fits {
		exact, ok := new(big.Rat).SetString(literal)
		shortest, okShortest := new(big.Rat).SetString(strconv.FormatFloat(f, 'e', -1, 64))
		fits = ok && okShortest && exact.Cmp(shortest) == 0
	}
	if !fits {
		require.Equal(t, pcommon.ValueTypeStr, got.Type(), literal)
		require.Equal(t, literal, got.Str())
		return
	}
	require.Equal(t, pcommon.ValueTypeDouble, got.Type(), literal)
	require.Equal(t, strconv.FormatFloat(f, 'e', -1, 64), strconv.FormatFloat(got.Double(), 'e', -1, 64))
}

func keptAsText(v any, depth int) bool {
	switch v.(type) {
	case []any, map[string]any:
		return depth >= MaxDepth
	default:
		return false
	}
}
