// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseRules(t *testing.T) {
	tests := map[string]struct {
		text string
		want []Rule
	}{
		"nothing":     {" ; \n", nil},
		"conditions":  {"bulk reused skip=2 times=3 chance=0.25 status=503", []Rule{{On: Bulk, Reused: true, Skip: 2, Times: 3, Chance: 0.25, Fault: Fault{Status: 503}}}},
		"two rules":   {"status=429 retry-after=5; token redirect=http://a/", []Rule{{On: Reads, Fault: Fault{Status: 429, RetryAfter: "5"}}, {On: Token, Fault: Fault{Redirect: "http://a/"}}}},
		"times":       {"single delay=25s stall=2s", []Rule{{On: Single, Fault: Fault{Delay: 25 * time.Second, Stall: 2 * time.Second}}}},
		"connections": {"reset=before\nreset=after", []Rule{{On: Reads, Fault: Fault{Reset: ResetBefore}}, {On: Reads, Fault: Fault{Reset: ResetAfter}}}},
		"cuts":        {"truncate=9 chunked; truncate=headers; truncate=random", []Rule{{On: Reads, Fault: Fault{Truncate: 9, Chunked: true}}, {On: Reads, Fault: Fault{Truncate: HeadersOnly}}, {On: Reads, Fault: Fault{Truncate: AtRandom}}}},
		"documents":   {"document=half; document=garbage; document=html; oversize=1000 gzip", []Rule{{On: Reads, Fault: Fault{Document: Half}}, {On: Reads, Fault: Fault{Document: Garbage}}, {On: Reads, Fault: Fault{Document: HTML}}, {On: Reads, Fault: Fault{Oversize: 1000, Gzip: true}}}},
		"mix":         {"mix=0.01", Mix(0.01)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rules, err := ParseRules(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, rules)
		})
	}
}

func TestParseRulesRefusesNonsense(t *testing.T) {
	for _, text := range []string{"bluk", "status=x", "truncate=0", "truncate=soon", "reset=now", "document=pdf", "delay=5", "mix=all", "mix=0.1 times=2"} {
		t.Run(text, func(t *testing.T) {
			_, err := ParseRules(text)
			require.ErrorContains(t, err, text)
		})
	}
}

func TestFaultTextReadsBack(t *testing.T) {
	for _, rule := range append(Mix(0), Rule{Fault: Fault{
		RetryAfter: "x", Delay: time.Second, Stall: time.Minute, Truncate: 12, Chunked: true, Oversize: 99, Gzip: true,
	}}) {
		rules, err := ParseRules(rule.Fault.String())
		require.NoError(t, err)
		require.Equal(t, rule.Fault, rules[0].Fault)
	}
}
