// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunReportsASetAgainUntilItIsDoneWith(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.json"), secretKey(t, "A", "one"))
	w, scan := scanner(root, "*.json")
	want := scan()
	f := &follower{root: root, reports: make(chan Snapshot, 10), watcher: w}
	f.busy.Store(true)
	f.run(t)
	require.Equal(t, want, f.next(t), "known since the scan, and not reported by Run")
	for range 2 {
		w.Recheck()
		require.Equal(t, want, f.next(t), "nothing has changed")
	}
	f.busy.Store(false)
	w.Recheck()
	require.Equal(t, want, f.next(t))
	w.Recheck()
	replace(t, filepath.Join(root, "b.json"), secretKey(t, "B", "one"))
	require.Equal(t, []string{"A: one@a.json", "B: one@b.json"}, f.next(t), "the first is done with")
}
