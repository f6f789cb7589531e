// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFolderClearsOnlyWhatTheQuickstartMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".run")
	ours := []string{
		"state/receiver_sap_btp_audit_", "events.jsonl", "events-2026-10-01T10-00-00.000-size.jsonl", "sap-ledger.jsonl",
		"sap-service-key.json", "otelcol-audit.log", "simulator.log", "kills",
	}
	theirs := []string{"own/state/receiver_sap_btp_audit_", "letters/mother.txt", "events.txt"}
	for _, name := range append(ours, theirs...) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	}
	f, err := openFolder(dir, true)
	require.NoError(t, err)
	require.NoError(t, f.close())
	for _, name := range append(ours, theirs...) {
		require.FileExists(t, filepath.Join(dir, name))
	}
	f, err = openFolder(dir, false)
	require.NoError(t, err)
	require.NoError(t, f.close())
	for _, name := range ours {
		require.NoFileExists(t, filepath.Join(dir, name))
	}
	for _, name := range theirs {
		require.FileExists(t, filepath.Join(dir, name))
	}
}

func TestFolderBelongsToOneRun(t *testing.T) {
	dir := t.TempDir()
	first, err := openFolder(dir, false)
	require.NoError(t, err)
	_, err = openFolder(dir, false)
	require.ErrorContains(t, err, "another quickstart is running in "+dir)
	require.NoError(t, first.close())
	second, err := openFolder(dir, false)
	require.NoError(t, err)
	require.NoError(t, second.close())
}

func TestFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		_, err := openFolder(dir, false)
		require.ErrorContains(t, err, file)
		require.ErrorContains(t, err, "name another one with -dir")
	}
}
