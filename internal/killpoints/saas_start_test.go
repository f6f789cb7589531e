// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// S15: the key that seals the spool is changed while the spool is full of what the old one has sealed.
func TestKillsAfterAChangeOfKeys(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{before, after} {
		t.Run("S15/"+moment, func(t *testing.T) {
			t.Parallel()
			each(t, replies, func(t *testing.T, nth int) bool {
				path := filepath.Join(t.TempDir(), "keys")
				useKeys(t, path, "old")
				w := spooled(t, map[string]any{"spool": map[string]any{"encryption_key_file": path}})
				first := len(w.sim.Ledger().SentEvents())
				require.Equal(t, replies*saassecurity.MaxBatch, first)
				useKeys(t, path, "new", "old")
				w.enqueue(2)
				killed := w.live(saasLife(killedAt(point{Place: anyWrite, Moment: moment, Nth: nth})), nil)
				useKeys(t, path, "newest", "new", "old")
				require.LessOrEqual(t, w.settle(saasLife()).lost, 1, "a read of the second life, not what the first has spooled")
				return killed
			})
		})
	}
}

// useKeys writes a file of keys that are made of these names.
func useKeys(t *testing.T, path string, names ...string) {
	t.Helper()
	lines := make([]string, 0, len(names))
	for _, name := range names {
		key := sha256.Sum256([]byte(name))
		lines = append(lines, hex.EncodeToString(key[:]))
	}
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600))
}

// S16: file_storage rewrites its files when they are opened.
func TestKillsWhileFilesAreCompacted(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]point{
		"S16/before":  {Place: open, Moment: before},
		"S16/quarter": {Place: open, Moment: during, Part: 0.25},
		"S16/half":    {Place: open, Moment: during, Part: 0.5},
		"S16/most":    {Place: open, Moment: during, Part: 0.75},
		"S16/after":   {Place: open, Moment: after},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, 2, func(t *testing.T, nth int) bool {
				w := spooled(t, nil)
				w.storage = map[string]any{"compaction": map[string]any{"on_start": true, "directory": t.TempDir(), "cleanup_on_start": true}}
				p.Nth = nth
				killed := w.live(saasLife(killedAt(p)), nil)
				require.Equal(t, sums{}, w.settle(saasLife()))
				return killed
			})
		})
	}
}

// S18: a process that starts while another one has the files fails, and harms nothing; one that starts right after a kill works.
func TestASecondProcessWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"S18/while the first one reads", "S18/while the first one stops"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, first := holding(t)
			if strings.HasSuffix(name, "stops") {
				first.terminate()
			}
			w.fails(life{Receiver: saas})
			require.True(t, first.Running())
			first.Kill()
			require.True(t, first.end())
			w.gate.hold.Store(nil)
			require.Equal(t, sums{}, w.settle(saasLife()))
			require.Equal(t, 1, w.doubt, "the read that was open")
		})
	}
}
