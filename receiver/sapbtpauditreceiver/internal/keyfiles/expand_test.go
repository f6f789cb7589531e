// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExpandNamesTheDirectoriesWhoseChangesMatter(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, path := range []string{"plain/a.json", "plain/deep/b.json", "binding/url", "v1/keys/c.json", "files/d"} {
		write(t, in(root, path), "")
	}
	mount(t, in(root, "mounted"), map[string]string{"e.json": ""})
	data, err := os.Readlink(in(root, "mounted/..data"))
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(in(root, "links"), 0o755))
	link(t, "v1", in(root, "current"))
	link(t, "../current/keys", in(root, "links/keys"))
	link(t, "../files/d", in(root, "links/d.json"))
	link(t, in(root, "links/d.json"), in(root, "plain/link"))
	link(t, "loop", in(root, "links/loop"))
	link(t, "../files/nothing/at/all", in(root, "links/dangling"))

	for pattern, want := range map[string][]string{
		"plain/a.json":        {"plain"},
		"plain/*.json":        {"plain"},
		"*/deep/*":            {".", "plain/deep", "mounted", "links", "binding", "files", "v1"},
		"binding":             {".", "binding"},
		"bind*":               {".", "binding"},
		"plain/missing":       {"plain"},
		"no/such/*/dir":       {"."},
		"plain/a.json/b":      {"plain"},
		"links/keys/c.json":   {"links", ".", "v1", "v1/keys"},
		"links/key?/c.json":   {"links", ".", "v1", "v1/keys"},
		"links/keys":          {"links", ".", "v1", "v1/keys"},
		"links/d.json":        {"links", "files"},
		"plain/link":          {"plain", "links", "files"},
		"mounted/e.json":      {"mounted", "mounted/" + data},
		"links/loop":          {"links"},
		"links/dangling":      {"links", "files"},
		"plain/../plain/deep": {"plain", "plain/deep"},
	} {
		t.Run(pattern, func(t *testing.T) {
			got := map[string]bool{}
			for dir := range expand([]string{root + "/" + pattern}).dirs {
				relative, err := filepath.Rel(root, existing(dir))
				require.NoError(t, err)
				got[relative] = true
			}
			expected := map[string]bool{}
			for _, dir := range want {
				expected[dir] = true
			}
			require.Equal(t, expected, got)
		})
	}
}
