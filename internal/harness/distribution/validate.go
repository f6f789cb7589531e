// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package distribution

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Validate asks "otelcol-audit validate" about a receiver's configuration and gives what the program says, which is empty if
// the configuration is right. The extensions that a receiver can name are there.
func Validate(tb testing.TB, receiver string, config map[string]any) string {
	tb.Helper()
	text, err := json.Marshal(map[string]any{
		"receivers": map[string]any{receiver: config},
		"exporters": map[string]any{"debug": nil},
		"extensions": map[string]any{
			"file_storage": map[string]any{"directory": tb.TempDir()},
			"oauth2client": map[string]any{"client_id": "id", "client_secret": "none", "token_url": "https://login.example.com"}, //nolint:gosec // nobody is asked
		},
		"service": map[string]any{
			"extensions": []string{"file_storage", "oauth2client"},
			"pipelines":  map[string]any{"logs": map[string]any{"receivers": []string{receiver}, "exporters": []string{"debug"}}},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "config.json")
	// JSON is YAML; a dollar sign would begin the name of a variable.
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "$", "$$")), 0o600); err != nil {
		tb.Fatal(err)
	}
	return ValidateArgs(tb, nil, "--config", path)
}

// ValidateArgs asks "otelcol-audit validate" with the Collector's arguments and, as "NAME=value", environment variables. It gives
// what the program says, which is empty if the configuration is right.
func ValidateArgs(tb testing.TB, env []string, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), Program(tb, "otelcol-audit"), append([]string{"validate"}, args...)...) //nolint:gosec // the program under test
	cmd.Env = append(os.Environ(), env...)
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &exit) && exit.Exited() && len(said) > 0:
		return string(said)
	}
	tb.Fatalf("otelcol-audit validate: %v\n%s", err, said)
	return ""
}
