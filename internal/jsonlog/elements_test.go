// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func elements(text string) (raw []string, err error) {
	var doc Doc
	for el, broken := range Elements(text, &doc) {
		if broken != nil {
			return raw, broken
		}
		raw = append(raw, el.Raw())
	}
	return raw, nil
}

func TestElementsBeforeABreakAreKept(t *testing.T) {
	whole := `[{"id":1},"two",{"id":3}]`
	starts := []int{0, 9, 15, 24} // bytes after which 0, 1, 2, 3 elements have ended
	for cut := range len(whole) {
		raw, err := elements(whole[:cut])
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax)
		complete := 0
		for complete < 3 && cut > starts[complete+1] {
			complete++
		}
		require.GreaterOrEqual(t, len(raw), complete, "cut at %d", cut)
		require.LessOrEqual(t, len(raw), complete+1, "cut at %d", cut)
		require.True(t, strings.HasPrefix(whole[1:], strings.Join(raw, ",")))
	}
	raw, err := elements(whole)
	require.NoError(t, err)
	require.Len(t, raw, 3)
}

func TestElementsRefusesWhatIsNoArray(t *testing.T) {
	for _, text := range []string{``, ` `, `{}`, `{"error":[1]}`, `"[1]"`, `null`, `<html>`, `1`} {
		raw, err := elements(text)
		require.Error(t, err, text)
		require.Empty(t, raw, text)
	}
	raw, err := elements(`[1,2] trailing`)
	require.EqualError(t, err, "invalid JSON: more text behind the value at offset 6")
	require.Equal(t, []string{"1", "2"}, raw)
}

func TestElementsCanBeLeftEarly(t *testing.T) {
	var doc Doc
	for el, err := range Elements(`[1,2,broken`, &doc) {
		require.NoError(t, err)
		if el.Raw() == "2" {
			break
		}
	}
}

func TestElementsHaveTheWholeDepthBudget(t *testing.T) {
	deepest := strings.Repeat("[", MaxDepth) + "7" + strings.Repeat("]", MaxDepth)
	var direct, doc Doc
	require.NoError(t, direct.Parse(deepest))
	for el, err := range Elements("["+deepest+"]", &doc) {
		require.NoError(t, err)
		require.Equal(t, written(direct.Root()), written(el))
	}
}
