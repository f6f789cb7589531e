// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOutputIsReadByTest(t *testing.T) {
	for name, tt := range map[string]struct {
		output string
		want   outcome
	}{
		"passes, twice": {
			"\x16=== RUN   TestA\n\x16--- PASS: TestA (0.25s)\n\x16=== RUN   TestA\n\x16--- PASS: TestA (1.50s)\nPASS\n",
			outcome{"TestA": {runs: 2, slowest: 1500 * time.Millisecond, said: []string{"PASS"}}},
		},
		"an assertion that fails once, among others that go on": {
			"\x16=== RUN   TestA\n\x16=== PAUSE TestA\n\x16=== RUN   TestB\n    b_test.go:7: fine\n\x16=== CONT  TestA\n    a_test.go:9: \n" +
				"        \tError Trace:\t/x/a_test.go:9\n\x16=== NAME  TestB\n    b_test.go:8: Error: of another\n\x16=== NAME  TestA\n" +
				"        \tError:      \tNot equal: \n        \t            \texpected: 1\n        \t            \tactually: 2\n" +
				"\x16--- FAIL: TestA (0.00s)\n\x16--- PASS: TestB (0.00s)\n",
			outcome{
				"TestA": {runs: 1, failed: 1, message: "Error: Not equal: expected: 1 actually: 2"},
				"TestB": {runs: 1},
			},
		},
		"the verdict on a part is not one on the whole": {
			"\x16=== RUN   TestA\n\x16=== RUN   TestA/b\n    a_test.go:3: too late\n\x16--- FAIL: TestA (0.00s)\n    \x16--- FAIL: TestA/b (0.00s)\n",
			outcome{"TestA": {runs: 1, failed: 1, message: "a_test.go:3: too late", said: []string{"    "}}},
		},
		"text without an end before the verdict": {
			"\x16=== RUN   TestA\nno end\x16--- PASS: TestA (0.00s)\n",
			outcome{"TestA": {runs: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := parse(tt.output)
			for name := range got {
				if len(got[name].said) == 0 {
					got[name].said = nil
				}
			}
			if extra := got[""]; extra != nil {
				delete(got, "")
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestReasonIsWhatSaysMost(t *testing.T) {
	for name, tt := range map[string]struct {
		said []string
		want string
	}{
		"a race":                   {[]string{"x_test.go:1: hello", "WARNING: DATA RACE", "Write at 0x0 by goroutine 7:", "  x.F()"}, "WARNING: DATA RACE Write at 0x0 by goroutine 7: x.F()"},
		"a panic":                  {[]string{"panic: index out of range", "", "goroutine 7 [running]:"}, "panic: index out of range goroutine 7 [running]:"},
		"the last place":           {[]string{"    x_test.go:1: hello", "    x_test.go:2: bad"}, "x_test.go:2: bad"},
		"nothing that is a reason": {[]string{"PASS"}, ""},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, reason(tt.said)) })
	}
}
