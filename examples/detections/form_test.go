// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package detections

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	uuid    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	day     = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	tag     = regexp.MustCompile(`^attack\.(t\d{4}(\.\d{3})?|[a-z-]+)$`)
	levels  = []string{"informational", "low", "medium", "high", "critical"}
	sources = []string{"sap_btp", "saas_security", "otelcol_audit"}
)

// A rule that a converter refuses helps nobody.
func TestSigmaRulesHaveTheirForm(t *testing.T) {
	ids := map[string]bool{}
	for name, alert := range readRules(t, "vmalert.yaml") {
		rule, counts := sigmaOf(t, name)
		head(t, rule, ids)
		require.Contains(t, sources, rule.LogSource["product"], name)
		require.Equal(t, "audit", rule.LogSource["service"], name)
		_, err := rule.matches(event{}, map[string][]string{"audited_applications": nil, "remediated_incidents": nil, "administrators": nil})
		require.NoError(t, err, name)
		if counts == nil {
			require.Equal(t, alert.Labels["severity"], rule.Level, name)
			continue
		}
		head(t, counts, ids)
		require.Equal(t, alert.Labels["severity"], counts.Level, name)
		require.Equal(t, name, counts.Name)
		c := counts.Correlation
		require.Equal(t, []string{rule.Name}, c.Rules)
		require.Contains(t, []string{"event_count", "value_count"}, c.Type, name)
		_, field := c.Condition["field"]
		require.Equal(t, c.Type == "value_count", field, name)
		_, err = c.span()
		require.NoError(t, err, name)
		require.NotEmpty(t, c.GroupBy, name)
	}
}

func head(t *testing.T, rule *sigmaRule, ids map[string]bool) {
	t.Helper()
	require.NotEmpty(t, rule.Title)
	require.LessOrEqual(t, len(rule.Title), 100)
	require.Regexp(t, uuid, rule.ID, rule.Title)
	require.False(t, ids[rule.ID], "the id of %s is there twice", rule.Title)
	ids[rule.ID] = true
	require.NotEmpty(t, rule.Description, rule.Title)
	require.NotEmpty(t, rule.Author, rule.Title)
	require.Equal(t, "experimental", rule.Status, rule.Title)
	require.Regexp(t, day, rule.Date, rule.Title)
	require.Contains(t, levels, rule.Level, rule.Title)
	require.NotEmpty(t, rule.FalsePositives, rule.Title)
	for _, one := range rule.Tags {
		require.Regexp(t, tag, one, rule.Title)
	}
}

// The evaluator has to notice a condition that cannot be read, or the test above says nothing.
func TestBrokenSigmaConditionsAreNoticed(t *testing.T) {
	for _, broken := range []string{"selection and", "selections", "(selection", "selection selection", "1 of other_*", "not"} {
		rule := &sigmaRule{Detection: map[string]any{"selection": map[string]any{"a": "b"}, "condition": broken}}
		_, err := rule.matches(event{"a": "b"}, nil)
		require.Error(t, err, broken)
	}
}

func TestSigmaConditionsAreRead(t *testing.T) {
	searches := map[string]any{
		"yes": map[string]any{"a": "B", "n|gte": 4}, "no_1": map[string]any{"a": "c"},
		"list": []any{map[string]any{"a": "x"}, map[string]any{"a|startswith": "b"}},
	}
	for text, want := range map[string]bool{
		"yes": true, "no_1": false, "yes and no_1": false, "yes or no_1": true, "yes and not no_1": true, "1 of no_*": false, "list": true,
		"not (yes and no_1)": true, "no_1 or yes and list": true,
	} {
		searches["condition"] = text
		holds, err := (&sigmaRule{Detection: searches}).matches(event{"a": "b", "n": "4.0"}, nil)
		require.NoError(t, err, text)
		require.Equal(t, want, holds, text)
	}
}

func TestTheFilterOfAQueryIsFound(t *testing.T) {
	for query, want := range map[string]string{
		"a:b | stats count() n":                            "a:b ",
		`a:"x | y" c:in(d:* | fields e) | stats count() n`: `a:"x | y" c:in(d:* | fields e) `,
		`a:~"\"|" | fields b`:                              `a:~"\"|" `,
	} {
		require.Equal(t, want, filterOf(query))
	}
}

var comparison = regexp.MustCompile(`^(\w+) < (\d+)$`)

// below is the subaccounts of which a metric is below a number, as the expression says.
func below(t *testing.T, expr, metrics string) (found []string) {
	t.Helper()
	parts := comparison.FindStringSubmatch(strings.TrimSpace(expr))
	require.NotNil(t, parts, expr)
	limit, err := strconv.ParseFloat(parts[2], 64)
	require.NoError(t, err)
	sample := regexp.MustCompile(`(?m)^` + parts[1] + `\{[^}]*subaccount="([^"]+)"[^}]*\} (\S+)$`)
	samples := sample.FindAllStringSubmatch(metrics, -1)
	require.Greater(t, len(samples), 1, "there has to be one that lasts")
	for _, s := range samples {
		value, err := strconv.ParseFloat(s[2], 64)
		require.NoError(t, err)
		if value < limit {
			found = append(found, s[1])
		}
	}
	slices.Sort(found)
	return found
}
