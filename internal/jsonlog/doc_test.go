// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func parse(t *testing.T, text string) Node {
	t.Helper()
	var doc Doc
	require.NoError(t, doc.Parse(text))
	return doc.Root()
}

func written(n Node) any {
	v := pcommon.NewValueEmpty()
	n.WriteTo(v)
	return v.AsRaw()
}

func TestErrorTellsTheOffsetAndNoContent(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"empty":             {``, "invalid JSON: value missing at offset 0"},
		"value":             {`{"a": secret}`, "invalid JSON: value expected at offset 6"},
		"literal":           {`[tru]`, "invalid JSON: unknown literal at offset 1"},
		"string end":        {`["secret`, "invalid JSON: unterminated string at offset 8"},
		"escape at end":     {`["secret\`, "invalid JSON: unterminated string at offset 9"},
		"control character": {"[\"secret\x01\"]", "invalid JSON: control character in a string at offset 8"},
		"escape":            {`["\q"]`, "invalid JSON: unknown escape sequence at offset 3"},
		"hex":               {`["\u12x4"]`, `invalid JSON: unfinished \u escape at offset 6`},
		"digit":             {`[1.x]`, "invalid JSON: digit missing at offset 3"},
		"name":              {`{"a":1,b:2}`, "invalid JSON: member name expected at offset 7"},
		"colon":             {`{"a" 1}`, "invalid JSON: colon expected at offset 5"},
		"comma":             {`{"a":1 "b":2}`, "invalid JSON: comma or closing bracket expected at offset 7"},
		"trailing":          {`{} {}`, "invalid JSON: more text behind the value at offset 3"},
	} {
		t.Run(name, func(t *testing.T) {
			var doc Doc
			require.EqualError(t, doc.Parse(tt.text), tt.want)
			require.Equal(t, None, doc.Root().Kind(), "nothing of a broken text may be used")
		})
	}
}

func TestNestingIsRefusedWhereStandardLibraryRefusesIt(t *testing.T) {
	for depth, ok := range map[int]bool{9999: true, 10000: true, 10001: false} {
		text := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		require.Equal(t, ok, json.Valid([]byte(text)))
		var doc Doc
		require.Equal(t, ok, doc.Parse(text) == nil, "depth %d", depth)
	}
}

func TestDocIsReusable(t *testing.T) {
	var doc Doc
	require.NoError(t, doc.Parse(`{"a":"\u00e9"}`))
	first := doc.Root().Get("a").Str()
	require.Error(t, doc.Parse(`{"a":`))
	require.Equal(t, None, doc.Root().Kind())
	require.NoError(t, doc.Parse(`{"a":"\u00e8"}`))
	require.Equal(t, "è", doc.Root().Get("a").Str())
	require.Equal(t, "é", first, "strings outlive the text they came from")
}

func TestMissingNodeAnswersWithZeroValues(t *testing.T) {
	var doc Doc
	require.Equal(t, Node{}, doc.Root())
	n := parse(t, `{"a":1}`).Get("b").Get("c")
	require.Equal(t, None, n.Kind())
	require.Empty(t, n.Key()+n.Str()+n.Scalar()+n.Raw())
	require.Zero(t, n.Len())
	require.Empty(t, slices.Collect(n.Children()))
	_, isBool := n.Bool()
	_, isInt := n.Int()
	require.False(t, isBool || isInt)
	require.Equal(t, None, n.Expand(&doc).Kind())
	require.Nil(t, written(n))
}

func TestScalarIsTheTextOfScalars(t *testing.T) {
	for text, want := range map[string]string{
		`"a\tb"`: "a\tb", `1.50`: "1.50", `true`: "true", `null`: "", `{"a":1}`: "", `["a"]`: "",
	} {
		require.Equal(t, want, parse(t, text).Scalar(), text)
	}
}

func TestChildrenCanBeLeftEarly(t *testing.T) {
	var names []string
	for child := range parse(t, `{"a":{"x":1},"b":2,"c":3}`).Children() {
		names = append(names, child.Key())
		if child.Key() == "b" {
			break
		}
	}
	require.Equal(t, []string{"a", "b"}, names)
}

func TestContainerBeyondDepthIsKeptAsText(t *testing.T) {
	inner := `{"deepest": [1, 2]}`
	text := strings.Repeat(`{"a":`, MaxDepth) + inner + strings.Repeat("}", MaxDepth)
	n := parse(t, text)
	for range MaxDepth {
		require.Equal(t, Object, n.Kind())
		n = n.Get("a")
	}
	require.Equal(t, String, n.Kind())
	require.Equal(t, inner, n.Str())
	require.Equal(t, inner, written(n))

	var doc Doc
	require.Error(t, doc.Parse(strings.Replace(text, "1, 2", "1, ]", 1)), "text beyond the limit is judged too")
}

func TestContainerOfTooManyValuesIsKeptAsText(t *testing.T) {
	large := "[" + strings.Repeat("0,", MaxNodes) + "0]"
	n := parse(t, `{"before":[1,2],"large":`+large+`,"after":{"x":3}}`)
	require.Equal(t, String, n.Get("large").Kind())
	require.Equal(t, large, n.Get("large").Str())
	require.Equal(t, map[string]any{"before": []any{int64(1), int64(2)}, "large": large, "after": map[string]any{"x": int64(3)}}, written(n))

	require.Equal(t, large, written(parse(t, large)))
	var doc Doc
	require.Error(t, doc.Parse(large[:len(large)-1]))
	require.Error(t, doc.Parse("["+strings.Repeat("0,", MaxNodes)+"x]"))
}

func TestObjectOfManyMembersIsWrittenWhole(t *testing.T) {
	var sb strings.Builder
	want := map[string]any{"nested": map[string]any{"list": []any{nil, "x", int64(7), 1.5}}, "twice": "last", "embedded": map[string]any{"a": true}}
	sb.WriteString(`{"twice":"first","nested":{"list":[null,"x",7,1.5]},"embedded":"{\"a\":true}"`)
	for i := range 5000 {
		name := "k" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26)
		want[name] = true
		sb.WriteString(`,"` + name + `":true`)
	}
	sb.WriteString(`,"twice":"last"}`)
	n := parse(t, sb.String())
	var inner Doc
	require.Equal(t, Object, n.Get("embedded").Expand(&inner).Kind())
	require.Equal(t, want, written(n))
}

func TestWriteMembersReplacesWhatWasThere(t *testing.T) {
	m := pcommon.NewMap()
	m.PutStr("old", "x")
	parse(t, `{"new":1}`).WriteMembers(m)
	require.Equal(t, map[string]any{"new": int64(1)}, m.AsRaw())
	parse(t, `[1]`).WriteMembers(m)
	require.Zero(t, m.Len())
}

func TestExpandOpensJSONInsideAString(t *testing.T) {
	n := parse(t, `{"message":"{\"data\":\" [1,{\\\"x\\\":\\\"y\\\"}]\"}","n":1}`)
	var message, data Doc
	inner := n.Get("message").Expand(&message)
	require.Equal(t, Array, inner.Get("data").Expand(&data).Kind())
	require.Equal(t, map[string]any{
		"message": map[string]any{"data": []any{int64(1), map[string]any{"x": "y"}}},
		"n":       int64(1),
	}, written(n))
	require.Equal(t, `"{\"data\":\" [1,{\\\"x\\\":\\\"y\\\"}]\"}"`, n.Get("message").Raw(), "the text stays as it was")
}

func TestExpandLeavesOtherStringsAlone(t *testing.T) {
	for name, content := range map[string]string{
		"plain":       `"free text"`,
		"empty":       `""`,
		"blank":       `"  "`,
		"scalar":      `"17"`,
		"broken":      `"{\"a\":1"`,
		"trailing":    `"{} x"`,
		"like JSON":   `"{not JSON}"`,
		"escaped":     `"\u0041bc"`,
		"no string":   `{"a":1}`,
		"quoted text": `"\"text\""`,
	} {
		t.Run(name, func(t *testing.T) {
			n := parse(t, `[`+content+`]`)
			before := written(n)
			var doc Doc
			for el := range n.Children() {
				require.Equal(t, None, el.Expand(&doc).Kind())
				require.Equal(t, None, el.Expand(el.d).Kind(), "a Doc cannot hold its own content")
			}
			require.Equal(t, before, written(n))
		})
	}
}

func TestExpandSharesTheDepthBudget(t *testing.T) {
	var inner Doc
	leaf := innermost(parse(t, strings.Repeat(`[`, MaxDepth-2)+`"[[[7]]]"`+strings.Repeat(`]`, MaxDepth-2)))
	root := leaf.Expand(&inner)
	require.Equal(t, Array, root.Kind())
	require.Equal(t, "[7]", innermost(root).Str(), "two levels were left")

	full := innermost(parse(t, strings.Repeat(`[`, MaxDepth)+`"[7]"`+strings.Repeat(`]`, MaxDepth)))
	require.Equal(t, None, full.Expand(&inner).Kind())
	require.Equal(t, "[7]", full.Str())
}

// innermost follows arrays of one element to the value in their middle.
func innermost(n Node) Node {
	for n.Kind() == Array {
		n = slices.Collect(n.Children())[0]
	}
	return n
}

func TestParsingAgainGivesTheSame(t *testing.T) {
	for _, text := range []string{
		`{"a":1,"known":"plain","b":[2]}`, `{"known":"","b":2}`, ` {"known":"a\"b\\\u00e9" }`, `{"known":"{\"a\":\"b\"}","a":"x"}`,
		`{"b":"x","known":{"a":1}}`, `{"b":"x"}`, `{"known":null}`,
	} {
		page := `[{"first":"one"},` + text + `]`
		var again, doc Doc
		for n, err := range Elements(page, &doc) {
			require.NoError(t, err)
			known := n.Get("known").Known(n)
			require.NoError(t, again.ParseAgain(n.Raw(), known))
			require.Equal(t, written(n), written(again.Root()), text)
			require.Equal(t, n.Get("known").Raw(), again.Root().Get("known").Raw(), text)
			opened := again.Root().Get("known").Expand(new(Doc))
			require.Equal(t, written(n.Get("known").Expand(new(Doc))), written(opened), text)
		}
	}
}

func TestWhatIsKnownOfOneTextIsForgottenWithIt(t *testing.T) {
	first := `{"known":"long enough"}`
	var doc Doc
	require.NoError(t, doc.ParseAgain(first, parse(t, first).Get("known").Known(parse(t, first))))
	require.NoError(t, doc.Parse(`{"other":"x","more":"y"}`))
	require.Equal(t, map[string]any{"other": "x", "more": "y"}, written(doc.Root()))

	require.NoError(t, doc.ParseAgain(`{"known":1}`, Known{start: 10, end: 21}), "what lies beyond the text is nothing")
	require.Equal(t, map[string]any{"known": int64(1)}, written(doc.Root()))
}

func TestStringIsUnescapedOnce(t *testing.T) {
	n := parse(t, `{"a":"x\ty","b":"\\"}`)
	a, b := n.Get("a").Str(), n.Get("b").Str()
	require.Equal(t, "x\ty", a)
	require.Equal(t, `\`, b)
	require.Same(t, unsafe.StringData(a), unsafe.StringData(n.Get("a").Str()))
	require.Same(t, unsafe.StringData(b), unsafe.StringData(n.Get("b").Str()))
}
