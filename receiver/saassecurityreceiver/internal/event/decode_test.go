// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecode(t *testing.T) {
	const a, b = `{"log_type":"incident","n":1}`, `{"log_type":"remediation","s":"]}"}`
	deep := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)
	tests := map[string]struct {
		body    string
		want    []Raw
		problem Problem
	}{
		"nothing":                     {"", nil, Problem{}},
		"blanks":                      {" \r\n\t", nil, Problem{}},
		"object":                      {`{"events":[` + a + ` , ` + b + `]}`, []Raw{a, b}, Problem{}},
		"object with blanks":          {" { \"events\" :\n[ " + a + " ] } \n", []Raw{a}, Problem{}},
		"empty list in an object":     {`{"events":[]}`, nil, Problem{}},
		"null for a list":             {`{"events":null}`, nil, Problem{}},
		"empty object":                {`{}`, nil, Problem{}},
		"bare list":                   {`[` + a + `,` + b + `]`, []Raw{a, b}, Problem{}},
		"empty list":                  {`[]`, nil, Problem{}},
		"single event":                {" " + b + "\n", []Raw{b}, Problem{}},
		"single event without a type": {`{"a":1}`, []Raw{`{"a":1}`}, Problem{}},
		"single event with events":    {`{"events":[1],"log_type":"x"}`, []Raw{`{"events":[1],"log_type":"x"}`}, Problem{}},
		"elements of any kind":        {`{"events":[1,"x",null,[2],{}]}`, []Raw{"1", `"x"`, "null", "[2]", "{}"}, Problem{}},
		"plain values beside":         {`{"count":2,"events":[` + a + `],"next":null}`, []Raw{a}, Problem{}},
		"nothing said beside":         {`{"count":0,"events":[],"more":false,"next":null,"cursor":"","ok":true}`, nil, Problem{}},
		"error beside nothing":        {`{"events":null,"error":"x","code":7}`, []Raw{`{"error":"x","code":7}`}, Problem{}},
		"count beside nothing":        {`{"events":[],"count":5}`, []Raw{`{"count":5}`}, Problem{}},
		"error beside null, and text": {`{"error":"x","events":null} y`, []Raw{`{"error":"x"}`}, Problem{TrailingData, []byte(" y")}},
		"error beside a cut list":     {`{"error":"x","events":[{"a`, nil, Problem{Truncated, []byte(`{"error":"x","events":[{"a`)}},
		"another list beside": {
			`{"count":1,"alerts":[7],"events":[` + a + `]}`,
			[]Raw{a, `{"count":1,"alerts":[7]}`},
			Problem{},
		},
		"the list twice":      {`{"events":[` + a + `],"events":[` + b + `]}`, []Raw{a, b}, Problem{}},
		"events is an object": {`{"events":{"a":1}}`, []Raw{`{"events":{"a":1}}`}, Problem{}},
		"not UTF-8":           {"[\"\xff\",{\"a\xc3\":\"]\x80\"}]", []Raw{"\"\xff\"", "{\"a\xc3\":\"]\x80\"}"}, Problem{}},
		"not UTF-8 beside":    {"{\"a\xc3\":[\"\xff\"],\"events\":[1]}", []Raw{"1", "{\"a\xc3\":[\"\xff\"]}"}, Problem{}},

		"text":                   {`"maintenance"`, nil, Problem{NotEvents, []byte(`"maintenance"`)}},
		"number":                 {`7`, nil, Problem{NotEvents, []byte(`7`)}},
		"null":                   {`null`, nil, Problem{NotEvents, []byte(`null`)}},
		"HTML":                   {`<html></html>`, nil, Problem{NotJSON, []byte(`<html></html>`)}},
		"garbage within":         {`{"events":[` + a + `,{"x":` + "\xff}]}", []Raw{a}, Problem{NotJSON, []byte(`,{"x":` + "\xff}]}")}},
		"garbage from the start": {`{"events":[{"x":` + "\x00", nil, Problem{NotJSON, []byte(`{"events":[{"x":` + "\x00")}},
		"no comma":               {`[` + a + b + `]`, []Raw{a}, Problem{NotJSON, []byte(b + `]`)}},
		"wrong bracket":          {`{"events":[` + a + `}`, []Raw{a}, Problem{NotJSON, []byte(`}`)}},
		"too deep":               {`{"events":[` + a + `,` + deep + `]}`, []Raw{a}, Problem{NotJSON, []byte(`,` + deep + `]}`)}},

		"cut in the first event":     {`{"events":[{"log_`, nil, Problem{Truncated, []byte(`{"events":[{"log_`)}},
		"cut in the second event":    {`{"events":[` + a + `,{"log_type":"inc`, []Raw{a}, Problem{Truncated, []byte(`,{"log_type":"inc`)}},
		"cut behind an event":        {`{"events":[` + a, []Raw{a}, Problem{Truncated, []byte{}}},
		"cut behind the list":        {`{"events":[` + a + `]`, []Raw{a}, Problem{Truncated, []byte{}}},
		"cut bare list":              {`[` + a + `,`, []Raw{a}, Problem{Truncated, []byte(`,`)}},
		"cut single event":           {a[:20], nil, Problem{Truncated, []byte(a[:20])}},
		"cut before the list":        {`{"alerts":[1],"ev`, nil, Problem{Truncated, []byte(`{"alerts":[1],"ev`)}},
		"cut behind another list":    {`{"alerts":[7],"events":[` + a, []Raw{a, `{"alerts":[7]}`}, Problem{Truncated, []byte{}}},
		"cut in an event of its own": {`{"log_type":"x","events":[` + a + `,`, nil, Problem{Truncated, []byte(`{"log_type":"x","events":[` + a + `,`)}},

		"two documents":         {`{"events":[` + a + `]} ` + b, []Raw{a, b}, Problem{}},
		"text behind one event": {b + `x`, []Raw{b}, Problem{TrailingData, []byte(`x`)}},
		"text behind nothing":   {`{} x`, nil, Problem{TrailingData, []byte(` x`)}},
		"no blank of JSON":      {"{}\v", nil, Problem{TrailingData, []byte("\v")}},
		"number of any size":    {`1e400`, nil, Problem{NotEvents, []byte(`1e400`)}},
		"text behind null list": {`{"events":null}x`, nil, Problem{TrailingData, []byte(`x`)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			events, problem := decoded([]byte(tt.body))
			require.Equal(t, tt.want, events)
			require.Equal(t, tt.problem, problem)
			require.Equal(t, tt.problem.Reason != "", problem.Found())
		})
	}
}

// A list that is too long for one pass is read value by value.
func TestDecodeHugeList(t *testing.T) {
	const n = 70_000
	for name, wrap := range map[string][2]string{"bare": {"[", "]"}, "object": {`{"events":[`, `]}`}} {
		t.Run(name, func(t *testing.T) {
			body := wrap[0] + strings.Repeat("{},", n-1) + "{}" + wrap[1]
			events, problem := decoded([]byte(body))
			require.Len(t, events, n)
			require.Equal(t, Problem{}, problem)
		})
	}
}

// Wherever a reply is cut, each event is either returned or in the rest.
func TestCutAnywhere(t *testing.T) {
	all := simulated(6)
	for name, body := range map[string][]byte{
		"object": reply(all),
		"bare":   bytes.TrimSuffix(bytes.TrimPrefix(reply(all), []byte(`{"events":`)), []byte(`}`)),
	} {
		t.Run(name, func(t *testing.T) {
			for cut := range body {
				if cut == 0 {
					continue
				}
				whole := 0
				for whole < len(all) && cut >= bytes.Index(body, []byte(all[whole]))+len(all[whole]) {
					whole++
				}
				events, problem := decoded(body[:cut])
				require.Equal(t, append([]Raw(nil), all[:whole]...), events, cut)
				require.Equal(t, Truncated, problem.Reason)
				if whole < len(all) {
					begun := body[bytes.Index(body, []byte(all[whole])):max(cut, bytes.Index(body, []byte(all[whole])))]
					require.True(t, bytes.HasSuffix(problem.Rest, begun), cut)
				}
				require.True(t, bytes.HasSuffix(body[:cut], problem.Rest))
			}
		})
	}
}
