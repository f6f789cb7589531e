// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package detections holds detections on the events of both receivers; its tests run each of them in VictoriaLogs, on events that the
// real Collector has brought there.
package detections

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// alertRule is a rule of vmalert and of Prometheus.
type alertRule struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func readRules(t *testing.T, path string) map[string]alertRule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name, Type, Interval string
			Rules                []alertRule
		}
	}
	readYAML(t, path, &file)
	rules := map[string]alertRule{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			require.NotContains(t, rules, rule.Alert)
			rules[rule.Alert] = rule
		}
	}
	return rules
}

func TestDetections(t *testing.T) {
	fixtures, rules := readFixtures(t), readRules(t, "vmalert.yaml")
	at := time.Now().Truncate(time.Second)
	events := newCorpus(t, at, fixtures)
	w := newWorld(t, events)
	metrics := w.load(t, events)
	all := w.db.all(t)
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		f, known := fixtures[name]
		require.True(t, known, name)
		t.Run(name, func(t *testing.T) {
			asked := at
			if strings.HasPrefix(name, "trail-") {
				asked = time.Now() // what the Collector says itself is younger than the events
			}
			w.checkFound(t, rules[name], f, events.found[name], all, asked)
			w.checkRows(t, rules[name].Expr, f.Rows, asked)
			if f.Later > 0 {
				w.checkRows(t, rules[name].Expr, f.LaterRows, asked.Add(f.Later))
			}
		})
	}
	t.Run("metric", func(t *testing.T) { w.checkMetric(t, metrics) })
	t.Run("fields", func(t *testing.T) { checkFields(t, rules, all) })
}

// checkFound checks which events the filter finds, and that the Sigma rule finds the same.
func (w *world) checkFound(t *testing.T, rule alertRule, f *fixture, want []string, all []event, at time.Time) {
	t.Helper()
	found := w.db.keys(t, filterOf(rule.Expr), at)
	sigma, counts := sigmaOf(t, rule.Alert)
	var ids, onlySigma, onlyLogsQL []string
	var matched []event
	for _, e := range all {
		holds, err := sigma.matches(e, f.Expand)
		require.NoError(t, err)
		holds = holds && at.Sub(timeOf(t, e)) >= f.SigmaMinAge
		if holds {
			matched = append(matched, e)
		}
		id := e["sap.btp.audit.message_uuid"] + e["saas_security."+marker]
		switch {
		case holds && !found[e.key()]:
			onlySigma = append(onlySigma, id)
		case !holds && found[e.key()]:
			onlyLogsQL = append(onlyLogsQL, id)
		}
		if found[e.key()] && id != "" {
			ids = append(ids, id)
		}
	}
	if !f.Absence {
		require.ElementsMatch(t, want, ids, "what the filter finds")
	}
	require.Empty(t, onlySigma, "found by Sigma only")
	require.Empty(t, onlyLogsQL, "found by LogsQL only")
	require.NotEmpty(t, matched)
	if counts != nil && !f.SigmaRowsVary {
		got := counts.Correlation.groups(t, matched, at)
		rows, err := w.db.rows(t.Context(), rule.Expr, at)
		require.NoError(t, err)
		for i := range rows {
			maps.DeleteFunc(rows[i], func(label, _ string) bool { return !slices.Contains(counts.Correlation.GroupBy, label) })
		}
		require.ElementsMatch(t, rows, got, "what the correlation finds")
	}
}

// checkRows checks what the whole query gives.
func (w *world) checkRows(t *testing.T, query string, want []row, at time.Time) {
	t.Helper()
	got, err := w.db.rows(t.Context(), query, at)
	require.NoError(t, err)
	require.Len(t, got, len(want), "%v", got)
	for _, expected := range want {
		fits := func(r row) bool {
			for label, value := range expected {
				if named, is := w.names[value]; is {
					value = named
				}
				if r[label] != value {
					return false
				}
			}
			return true
		}
		i := slices.IndexFunc(got, fits)
		require.GreaterOrEqual(t, i, 0, "%v is not among %v", expected, got)
		got = slices.Delete(got, i, i+1)
	}
}

// checkMetric evaluates the expression of Prometheus on what the Collector shows.
func (w *world) checkMetric(t *testing.T, metrics string) {
	t.Helper()
	expr := readRules(t, "prometheus.yaml")["trail-credentials-expiring"].Expr
	require.Equal(t, []string{w.names["expiring"]}, below(t, expr, metrics))
}

// checkFields checks that what the rules read is there: a name that is spelt wrong would find nothing for ever.
func checkFields(t *testing.T, rules map[string]alertRule, all []event) {
	t.Helper()
	known := map[string]bool{}
	for _, e := range all {
		for field := range e {
			known[field] = true
		}
	}
	for name := range rules {
		rule, counts := sigmaOf(t, name)
		fields := rule.fields()
		if counts != nil {
			fields = append(fields, counts.Correlation.GroupBy...)
		}
		for _, field := range fields {
			require.True(t, known[field], "%s reads %s, which no event has", name, field)
		}
	}
}

// Every detection is there in all forms.
func TestEveryDetectionHasAllForms(t *testing.T) {
	rules := slices.Sorted(maps.Keys(readRules(t, "vmalert.yaml")))
	require.Len(t, rules, 27)
	require.Equal(t, rules, slices.Sorted(maps.Keys(readFixtures(t))))
	files, err := filepath.Glob("sigma/*.yml")
	require.NoError(t, err)
	var sigma []string
	for _, file := range files {
		sigma = append(sigma, strings.TrimSuffix(filepath.Base(file), ".yml"))
	}
	require.Equal(t, rules, sigma)
}

// Each has what it has to find and what it must not find.
func TestEveryDetectionHasHitsAndMisses(t *testing.T) {
	for name, f := range readFixtures(t) {
		if name == "trail-credentials-expiring" {
			continue // both are certificates
		}
		require.NotEmpty(t, f.Hits, name)
		require.True(t, len(f.Misses) > 0 || f.Absence, name)
		require.NotEmpty(t, slices.Concat(f.Rows, f.LaterRows), name)
	}
}
