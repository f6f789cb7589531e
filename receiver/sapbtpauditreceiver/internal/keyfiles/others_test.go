// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScanLeavesOutBindingsOfOtherServices(t *testing.T) {
	root := t.TempDir()
	binding := func(name, service string, files map[string]string) {
		t.Helper()
		write(t, filepath.Join(root, name, "type"), service)
		for file, content := range files {
			write(t, filepath.Join(root, name, file), content)
		}
	}
	key := map[string]string{"uaa": toJSON(t, secretUAA("A", "s")), "url": apiURL}
	binding("redis", "redis", map[string]string{"uri": "redis://x"})
	binding("xsuaa", "xsuaa", map[string]string{"clientid": "x", "url": tokenURL("A")})

	_, scan := scanner(root, "*")
	require.Equal(t, []string{"problem: *"}, scan(), "nothing else is there")
	binding("audit", "auditlog-management", key)
	require.Equal(t, []string{"A: s@audit"}, scan())
	binding("broken", "auditlog-management", map[string]string{"uri": "x"})
	require.Equal(t, []string{"A: s@audit", "problem: broken"}, scan())
	require.NoError(t, os.RemoveAll(filepath.Join(root, "broken")))
	write(t, filepath.Join(root, "audit", "type"), "redis")
	write(t, filepath.Join(root, "audit", "uaa"), "{}")
	require.Equal(t, []string{"A: s@audit", "problem: audit"}, scan(), "what gave a key is not left out silently")

	_, scan = scanner(root, "redis", "[x]*")
	require.Equal(t, []string{"problem: [x]*", "problem: redis"}, scan(), "named by its path, or alone")
}
