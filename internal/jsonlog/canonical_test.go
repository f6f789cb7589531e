// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func canonical(t *testing.T, text, without string) string {
	t.Helper()
	return string(parse(t, text).AppendCanonical(nil, without))
}

func TestCanonicalFormIgnoresOrderAndBlanks(t *testing.T) {
	want := canonical(t, `{"a":1,"b":{"message":[{"x":"y","z":null},2],"message_uuid":true},"bb":""}`, "")
	for _, same := range []string{
		`{"bb":"","b":{"message_uuid":true,"message":[{"z":null,"x":"y"},2]},"a":1}`,
		" {\n\"b\" : {\"message\":[ {\"x\":\"y\",\"z\":null} ,2],\"message_uuid\":true},\t\"a\":1,\"bb\":\"\"}\r\n",
		`{"\u0061":1,"b":{"message":[{"x":"y","z":null},2],"message_uuid":true},"bb":""}`,
	} {
		require.Equal(t, want, canonical(t, same, ""), same)
	}
}

func TestCanonicalFormTellsDifferentValuesApart(t *testing.T) {
	texts := []string{
		`{}`, `[]`, `null`, `""`, `0`, `"0"`, `[0]`, `[0,0]`, `[[0],0]`, `[0,[0]]`, `[[0,0]]`, `{"a":0}`, `{"a":"0"}`, `{"a":0,"b":0}`,
		`{"a":{"b":0}}`, `{"b":0,"a":{}}`, `{"a":[0,"b"]}`, `{"a,b":0}`, `{"a":0,"a":1}`, `{"a":1,"a":0}`, `{"":0}`, `["{}"]`, `[{}]`,
		`{"a":"x,\"b\":1"}`, `{"a":"x","b":1}`, `{"a\u0000":0}`, `1.0`, `1`, `1e0`, `true`, `"true"`,
	}
	seen := map[string]string{}
	for _, text := range texts {
		form := canonical(t, text, "")
		require.NotContains(t, seen, form, "%s and %s", text, seen[form])
		seen[form] = text
	}
}

func TestCanonicalFormLeavesOutMembersOfTheOutermostObjectOnly(t *testing.T) {
	require.Equal(t, canonical(t, `{"b":{"id":1}}`, ""), canonical(t, `{"id":7,"b":{"id":1},"id":8}`, "id"))
	require.Equal(t, canonical(t, `["id"]`, ""), canonical(t, `["id"]`, "id"))
	require.Empty(t, Node{}.AppendCanonical(nil, "id"))
}

func TestCanonicalFormOfManyMembersIgnoresTheirOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{2, 31, 32, 33, 34, 500} {
		members := make([]string, n)
		for i := range members {
			members[i] = `"same_prefix_` + strconv.Itoa(i/2) + strings.Repeat("x", i%2) + `":` + strconv.Itoa(i)
		}
		want := canonical(t, "{"+strings.Join(members, ",")+"}", "")
		rnd.Shuffle(n, func(i, j int) { members[i], members[j] = members[j], members[i] })
		require.Equal(t, want, canonical(t, "{"+strings.Join(members, ",")+"}", ""))
	}
}

// The order of members that share a name is part of their value.
func TestCanonicalFormKeepsTheOrderOfDuplicates(t *testing.T) {
	many := strings.Repeat(`"x":0,`, 40)
	for _, prefix := range []string{"", many} {
		a, b := `{`+prefix+`"k":1,"k":2}`, `{`+prefix+`"k":2,"k":1}`
		require.NotEqual(t, canonical(t, a, ""), canonical(t, b, ""))
	}
}
