// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// build makes the programs if they are not there, once for all tests.
var build = sync.OnceValues(func() (output string, err error) {
	cmd := exec.Command("make", "build")
	cmd.Dir = root()
	text, err := cmd.CombinedOutput()
	return string(text), err
})

// root is the module's root.
func root() string { return filepath.Join("..", "..") }

// bin gives the path of a program. Only where it is absent and cannot be built, the test is skipped.
func bin(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("E2E_BIN")
	if dir == "" {
		dir = filepath.Join(root(), "bin")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	require.NoError(t, err)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if output, err := build(); err != nil {
		t.Skipf("%s is not there and make build fails: %v\n%s", path, err, output)
	}
	require.FileExists(t, path)
	return path
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
