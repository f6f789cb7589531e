// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

func TestTheCatalogueIsUpToDate(t *testing.T) {
	want, err := catalogue(root)
	require.NoError(t, err)
	have, err := os.ReadFile(below(root, file))
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "make generate writes it")
}

// The catalogue has to have every type that the authorization service's golden records show, and be the same each time.
func TestTheCatalogueHasEveryTypeOfTheGoldenFiles(t *testing.T) {
	text, err := catalogue(root)
	require.NoError(t, err)
	events, err := readEvents(root)
	require.NoError(t, err)
	require.NotEmpty(t, events)
	for _, e := range events {
		_, name := e.kind()
		require.Contains(t, strings.ToLower(string(text)), strings.ToLower("\n### "+strings.ReplaceAll(name, "_", `\_`)+"\n"))
	}
	for range 5 {
		again, err := catalogue(root)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	}
	for _, producer := range producers {
		require.Contains(t, string(text), "\n## "+producer+"\n")
	}
}

func TestRulesReadEventsOfTheirType(t *testing.T) {
	deletion := event{attributes: map[string]string{
		"audit.action": "delete", "audit.target.type": "user", "audit.outcome": "success", prefix + "text": "All roles for providerId p9",
	}}
	tests := map[string]struct {
		searches  map[string]any
		condition string
		want      bool
	}{
		"its type":             {map[string]any{"selection": map[string]any{"audit.action": "delete", "audit.target.id": "another"}}, "selection", true},
		"another type":         {map[string]any{"selection": map[string]any{"audit.action": "create"}}, "selection", false},
		"one of several":       {map[string]any{"selection": map[string]any{"audit.action": []any{"create", "delete"}}}, "selection", true},
		"all types":            {map[string]any{"selection": map[string]any{"sap.btp.subaccount.id": "*"}}, "selection", false},
		"filters are no types": {map[string]any{"selection": map[string]any{"audit.action": "delete"}, "filter_failure": map[string]any{"audit.outcome": "failure"}}, "selection and not filter_failure", true},
		"a text":               {map[string]any{"selection": map[string]any{prefix + "text|startswith": []any{"no", "all roles"}}}, "selection", true},
		"wildcards":            {map[string]any{"selection": map[string]any{prefix + "text": "*providerid*"}}, "selection", true},
		"and, or, brackets": {map[string]any{
			"selection_a": map[string]any{"audit.action": "create"}, "selection_b": map[string]any{"audit.target.type": "user"},
			"selection_c": map[string]any{"audit.outcome": "failure"},
		}, "(selection_a or selection_b) and selection_c", true},
		"one of":     {map[string]any{"selection_a": map[string]any{"audit.action": "create"}, "selection_b": map[string]any{"audit.target.type": "user"}}, "1 of selection_*", true},
		"all of":     {map[string]any{"selection_a": map[string]any{"audit.action": "create"}, "selection_b": map[string]any{"audit.target.type": "user"}}, "all of selection_*", false},
		"list":       {map[string]any{"selection": []any{map[string]any{"audit.action": "create"}, map[string]any{"audit.action": "delete"}}}, "selection", true},
		"absent":     {map[string]any{"selection": map[string]any{prefix + "event_type": "*"}}, "selection", false},
		"a negation": {map[string]any{"selection": map[string]any{"audit.action": "delete"}}, "not selection", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, rule{searches: test.searches, condition: test.condition}.reads(deletion))
		})
	}
}
