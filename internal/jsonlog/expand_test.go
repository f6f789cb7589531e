// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// What is wrapped in a string is opened exactly where encoding/json takes it for an object or array, and has its value.
func TestExpandJudgesAsStandardLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	opened := 0
	for range 6000 {
		text := []byte(seeds[rnd.IntN(len(seeds))])
		if len(text) > 1000 {
			continue
		}
		for range rnd.IntN(3) {
			text = damage(rnd, text)
		}
		inside := string(text)
		wrapped, err := json.Marshal(map[string]string{"message": inside})
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(wrapped, &struct {
			Message *string `json:"message"`
		}{&inside})) // with the replacements for what is no UTF-8
		var outer, inner Doc
		require.NoError(t, outer.Parse(string(wrapped)))
		root := outer.Root().Get("message").Expand(&inner)

		container := strings.HasPrefix(strings.TrimLeft(inside, " \t\r\n"), "{") || strings.HasPrefix(strings.TrimLeft(inside, " \t\r\n"), "[")
		if !container || !json.Valid([]byte(inside)) {
			require.Equal(t, None, root.Kind(), "%q", inside)
			continue
		}
		opened++
		want := decode(t, []byte(inside))
		requireSameValue(t, want, root, 1)
		got := pcommon.NewValueEmpty()
		outer.Root().WriteTo(got)
		requireSameWritten(t, map[string]any{"message": want}, got, 0)
	}
	require.Greater(t, opened, 300, "too few to prove anything")
}

// Both give up at the same depth.
func TestDepthAtWhichTheStandardLibraryGivesUp(t *testing.T) {
	for _, depth := range []int{stdDepth - 1, stdDepth, stdDepth + 1} {
		for _, text := range []string{
			strings.Repeat("[", depth) + strings.Repeat("]", depth), strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth),
		} {
			var doc Doc
			require.Equal(t, json.Valid([]byte(text)), doc.Parse(text) == nil, "%d of %s", depth, text[:1])
			var wrapper Doc
			var failed error
			for _, err := range Elements("["+text+"]", &wrapper) {
				failed = err
			}
			require.Equal(t, json.Valid([]byte("["+text+"]")), failed == nil, "%d of %s in an array", depth, text[:1])
		}
	}
}
