// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
)

// quickstartConfig is the configuration that make run uses.
func quickstartConfig() string {
	return filepath.Join(distribution.Root(), "examples", "quickstart", "config.yaml")
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, fallback int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// seed gives the seed of the test's random moments, and prints it.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := uint64(setting(t, "E2E_SEED", int(time.Now().UnixNano()%1_000_000)))
	t.Logf("E2E_SEED=%d repeats the random moments of this run", s)
	return s
}
