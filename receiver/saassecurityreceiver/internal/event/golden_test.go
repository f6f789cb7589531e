// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/require"
)

// Below the top of the project.
const (
	payloads = "../../../../testdata/saas-security/payloads"
	goldens  = "../../../../testdata/saas-security/golden"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	settings := Settings{ScopeName: "scope", ScopeVersion: "v1"}
	asText := settings
	asText.BodyString, asText.IncludeOriginal = true, true

	paths, err := filepath.Glob(filepath.Join(payloads, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			compareGolden(t, path, filepath.Join(goldens, name+".yaml"), settings)
		})
	}
	t.Run("body as text with the original", func(t *testing.T) {
		compareGolden(t, filepath.Join(payloads, "unknown.json"), filepath.Join(goldens, "unknown_text.yaml"), asText)
	})
}

func compareGolden(t *testing.T, replyPath, goldenPath string, settings Settings) {
	t.Helper()
	body, err := os.ReadFile(replyPath)
	require.NoError(t, err)
	events, problem := decoded(body)
	require.False(t, problem.Found())
	got := convert(settings, events)
	if *update {
		require.NoError(t, golden.WriteLogsToFile(goldenPath, got))
	}
	want, err := golden.ReadLogs(goldenPath)
	require.NoError(t, err)
	require.NoError(t, plogtest.CompareLogs(want, got))
}

// The documented path gives each event without an envelope.
func TestEventWithoutEnvelopeGivesTheSameRecord(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(payloads, "all_types.json"))
	require.NoError(t, err)
	events, problem := decoded(body)
	require.False(t, problem.Found())
	require.Len(t, events, 6)
	for _, want := range events {
		alone, problem := decoded([]byte(want))
		require.False(t, problem.Found())
		require.Equal(t, []Raw{want}, alone)
	}
}
