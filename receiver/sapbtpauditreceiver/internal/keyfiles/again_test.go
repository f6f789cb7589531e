// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"path/filepath"
	"testing"
	"time"

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
		require.Equal(t, want, f.looking(t, w), "nothing has changed")
	}
	f.busy.Store(false)
	require.Equal(t, want, f.looking(t, w))
	replace(t, filepath.Join(root, "b.json"), secretKey(t, "B", "one"))
	w.Recheck()
	f.await(t, "A: one@a.json", "B: one@b.json")
}

// looking asks the watcher to look until it reports.
func (f *follower) looking(t *testing.T, w *Watcher) []string {
	t.Helper()
	timeout := time.After(patience)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case s := <-f.reports:
			return state(s, f.root)
		case <-ticker.C:
			w.Recheck()
		case <-timeout:
			require.Fail(t, "nothing was reported")
		}
	}
}
