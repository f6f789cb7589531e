// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// statuses retrieves n times and gives the statuses; the time goes on by step before each.
func statuses(t *testing.T, rules []Rule, n int, step time.Duration) []int {
	t.Helper()
	now := noon
	sim := New(Options{Seed: 9, Now: func() time.Time { return now }})
	c := newCaller(t, sim)
	c.login()
	require.NoError(t, sim.Script(rules...))
	out := make([]int, n)
	for i := range out {
		now = now.Add(step)
		out[i] = c.status()
	}
	return out
}

func TestWhenARuleHolds(t *testing.T) {
	fail := Fault{Kind: FaultStatus, Status: 503}
	tests := map[string]struct {
		rule Rule
		want []int
	}{
		"always":            {Rule{Fault: fail}, []int{503, 503, 503, 503, 503, 503}},
		"some times":        {Rule{Times: 2, Fault: fail}, []int{503, 503, 204, 204, 204, 204}},
		"after the first":   {Rule{Match: Match{Skip: 4}, Fault: fail}, []int{204, 204, 204, 204, 503, 503}},
		"every third":       {Rule{Match: Match{Every: 3}, Fault: fail}, []int{204, 204, 503, 204, 204, 503}},
		"skip then every":   {Rule{Match: Match{Every: 2, Skip: 1}, Fault: fail}, []int{204, 204, 503, 204, 503, 204}},
		"within a time":     {Rule{Match: Match{After: Duration(2 * time.Second), Before: Duration(4 * time.Second)}, Fault: fail}, []int{204, 503, 503, 204, 204, 204}},
		"tokens only":       {Rule{Match: Match{Kind: KindToken}, Fault: fail}, []int{204, 204, 204, 204, 204, 204}},
		"follow-ups only":   {Rule{Match: Match{Page: 2}, Fault: fail}, []int{204, 204, 204, 204, 204, 204}},
		"categories only":   {Rule{Match: Match{Category: true}, Fault: fail}, []int{204, 204, 204, 204, 204, 204}},
		"another tenant's":  {Rule{Match: Match{Tenant: "other"}, Fault: fail}, []int{204, 204, 204, 204, 204, 204}},
		"unlikely":          {Rule{Match: Match{Chance: 1e-9}, Fault: fail}, []int{204, 204, 204, 204, 204, 204}},
		"fits no retrieval": {Rule{Fault: Fault{Kind: FaultShortToken}}, []int{204, 204, 204, 204, 204, 204}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, statuses(t, []Rule{tc.rule}, 6, time.Second))
		})
	}
}

func TestTheFirstAnswerWinsAndTheOthersWait(t *testing.T) {
	got := statuses(t, []Rule{
		{Times: 1, Fault: Fault{Kind: FaultStatus, Status: 500}},
		{Times: 1, Fault: Fault{Kind: FaultStatus, Status: 502}},
	}, 3, 0)
	require.Equal(t, []int{500, 502, 204}, got)
}

func TestChanceIsSeeded(t *testing.T) {
	rules := []Rule{{Match: Match{Chance: 0.5}, Fault: Fault{Kind: FaultStatus, Status: 500}}}
	first := statuses(t, rules, 40, 0)
	require.Equal(t, first, statuses(t, rules, 40, 0))
	require.Contains(t, first, 500)
	require.Contains(t, first, 204)
}

func TestRulesOfOneRequestAddUp(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	c := newCaller(t, sim)
	c.login()
	require.NoError(t, sim.Script(Rule{Name: "quiet", Fault: Fault{Kind: FaultNoDate}}, Rule{Fault: Fault{Kind: FaultStatus, Status: 400}}))
	resp := c.get()
	require.Equal(t, http.StatusBadRequest, resp.status)
	require.NotContains(t, resp.header, "Date")
	require.Equal(t, "quiet+status", sim.Ledger().Requests(KindRecords)[0].Note)
	require.NoError(t, sim.Script())
	require.Equal(t, http.StatusNoContent, c.status())
}

func TestScriptsAreRead(t *testing.T) {
	rules, err := ParseScript([]byte(`[{"match":{"kind":"records","page":2,"after":"1m30s"},"times":3,"fault":{"kind":"status","status":429,"retry_after":"2"}}]`))
	require.NoError(t, err)
	require.Equal(t, []Rule{{
		Match: Match{Kind: KindRecords, Page: 2, After: Duration(90 * time.Second)}, Times: 3,
		Fault: Fault{Kind: FaultStatus, Status: 429, RetryAfter: "2"},
	}}, rules)
	for name, text := range map[string]string{
		"unknown member":    `[{"fault":{"kind":"reset"},"often":1}]`,
		"unknown fault":     `[{"fault":{"kind":"explode"}}]`,
		"unknown request":   `[{"match":{"kind":"write"},"fault":{"kind":"reset"}}]`,
		"no list":           `{"fault":{"kind":"reset"}}`,
		"no duration":       `[{"match":{"after":"soon"},"fault":{"kind":"reset"}}]`,
		"status is missing": `[{"fault":{"kind":"status"}}]`,
	} {
		_, err := ParseScript([]byte(text))
		require.ErrorContains(t, err, "fault script", name)
	}
	require.Error(t, New(Options{}).Script(Rule{Fault: Fault{Kind: "explode"}}))
}

func TestPresetsAreScripts(t *testing.T) {
	require.Contains(t, PresetNames(), "mix")
	for _, name := range PresetNames() {
		rules, err := Preset(name)
		require.NoError(t, err, name)
		require.NoError(t, New(Options{}).Script(rules...), name)
	}
	mix, err := Preset("mix")
	require.NoError(t, err)
	kinds := map[FaultKind]bool{}
	for _, r := range mix {
		kinds[r.Fault.Kind] = true
	}
	require.Len(t, kinds, len(injections), "every fault takes part")
	_, err = Preset("explode")
	require.ErrorContains(t, err, "explode")
}
