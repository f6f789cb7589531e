// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASavedDiskIsLoadedAsItWas(t *testing.T) {
	d := NewDisk()
	c := d.Client()
	for key, value := range map[string]string{"plain": "1", "a/b/0": "\x00\xff", "host:1/%2f ü": ""} {
		require.NoError(t, c.Set(t.Context(), key, []byte(value)))
	}
	path := filepath.Join(t.TempDir(), "storage.json")
	require.NoError(t, d.Save(path))
	got, err := LoadDisk(path)
	require.NoError(t, err)
	require.Equal(t, d.Keys(), got.Keys())
	for _, key := range d.Keys() {
		require.Equal(t, string(d.Value(key)), string(got.Value(key)), key)
	}
}

func TestWhatIsNoSavedDiskIsNoEmptyDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "storage.json")
	_, err := LoadDisk(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("[]"), 0o600))
	_, err = LoadDisk(path)
	require.ErrorContains(t, err, "holds no disk")
}
