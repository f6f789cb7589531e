// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notTheProgram are folders with code that runs elsewhere, whose messages no user sees.
var notTheProgram = []string{"cmd", "crashtest", "harness", "simulator", "testdata"}

// Sources is all Go code below the folders that is part of the program.
func Sources(tb testing.TB, folders ...string) string {
	tb.Helper()
	var sources strings.Builder
	for _, folder := range folders {
		require.NoError(tb, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && slices.Contains(notTheProgram, entry.Name()) {
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				sources.WriteString(Read(tb, path))
			}
			return nil
		}))
	}
	return sources.String()
}
