// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package keyfiles

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// unprivileged calls f on a thread that may do with files what their modes
// allow, even if the test is run by root.
func unprivileged[T any](t *testing.T, f func() T) T {
	t.Helper()
	if os.Geteuid() != 0 {
		return f()
	}
	const nobody = 65534
	failed, result := make(chan error, 1), make(chan T, 1)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		failed <- syscall.Setfsuid(nobody)
		result <- f()
	}()
	require.NoError(t, <-failed)
	return <-result
}

func TestScanReportsWhatItMayNotReadAndKeepsItsKeys(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(root), 0o755))
	dir, path := filepath.Join(root, "keys"), filepath.Join(root, "keys", "a.json")
	write(t, path, secretKey(t, "A", "one"))
	setTime(t, path, 0)
	w, scan := scanner(root, "keys/*.json")
	chmod := func(path string, mode os.FileMode) {
		t.Helper()
		require.NoError(t, os.Chmod(path, mode))
		t.Cleanup(func() { require.NoError(t, os.Chmod(path, 0o777)) })
	}

	chmod(path, 0)
	require.Equal(t, []string{"problem: keys/a.json"}, unprivileged(t, scan))
	require.EqualError(t, w.problems[path], "permission denied")
	chmod(path, 0o444)
	require.Equal(t, []string{"A: one@keys/a.json"}, unprivileged(t, scan))
	chmod(path, 0)
	require.Equal(t, []string{"A: one@keys/a.json", "problem: keys/a.json"}, unprivileged(t, scan))
	chmod(path, 0o444)

	// Not to be listed, but what is known can be read.
	chmod(dir, 0o111)
	require.Equal(t, []string{"A: one@keys/a.json", "problem: keys"}, unprivileged(t, scan))
	require.EqualError(t, w.problems[dir], "listing the directory: permission denied")
	// Not to be entered either.
	chmod(dir, 0)
	require.Equal(t, []string{"A: one@keys/a.json", "problem: keys", "problem: keys/a.json"}, unprivileged(t, scan))
	chmod(dir, 0o555)
	require.Equal(t, []string{"A: one@keys/a.json"}, unprivileged(t, scan))
}
