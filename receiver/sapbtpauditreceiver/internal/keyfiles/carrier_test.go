// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

func TestReadLoadsOnlyWhatHasChanged(t *testing.T) {
	root := t.TempDir()
	path := func(i int) string { return filepath.Join(root, fmt.Sprintf("%03d.json", i)) }
	for i := range 500 {
		write(t, path(i), secretKey(t, fmt.Sprintf("tenant-%03d", i), "one"))
		setTime(t, path(i), time.Hour)
	}
	var loaded []string
	w := New(Settings{
		Patterns: []string{filepath.Join(root, "*.json")}, Identity: identity,
		Load: func(path string) ([]servicekey.Key, error) {
			loaded = append(loaded, path)
			return servicekey.Load(path)
		},
	})
	read := func(contents bool) []string {
		loaded = nil
		w.read(expand(w.set.Patterns), contents)
		return loaded
	}
	require.Len(t, read(true), 500)
	require.Empty(t, read(true))
	require.Empty(t, read(false))

	// By another file of the same size and time.
	replace(t, path(7), secretKey(t, "tenant-007", "two"))
	setTime(t, path(7), time.Hour)
	require.Equal(t, []string{path(7)}, read(false))

	// By new contents with the times of the old.
	info, err := os.Stat(path(8))
	require.NoError(t, err)
	write(t, path(8), secretKey(t, "tenant-008", "two"))
	require.NoError(t, os.Chtimes(path(8), info.ModTime(), info.ModTime()))
	require.Empty(t, read(false))
	require.Equal(t, []string{path(8)}, read(true))

	// Just now, and so within what file systems can tell apart.
	write(t, path(9), secretKey(t, "tenant-009", "two"))
	info, err = os.Stat(path(9))
	require.NoError(t, err)
	require.Equal(t, []string{path(9)}, read(false))
	write(t, path(9), secretKey(t, "tenant-009", "six"))
	require.NoError(t, os.Chtimes(path(9), info.ModTime(), info.ModTime()))
	require.Equal(t, []string{path(9)}, read(false))
}
