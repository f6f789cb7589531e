// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the README of the receiver says of the files' size.
func TestFilesAreLargerThanWhatTheyHoldByAKnownFactor(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		entry, all int // bytes
		most       float64
	}{
		{16 << 10, 12 << 20, 1.7},
		{256 << 10, 24 << 20, 1.7},
		{2 << 20, 48 << 20, 3.1},
	} {
		t.Run(fmt.Sprintf("%d kB", tc.entry>>10), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			set, done, err := fileSettings(dir)
			require.NoError(t, err)
			defer done()
			set.SegmentBytes, set.MaxBytes = DefaultSegmentBytes, 128<<20
			s, err := Open(t.Context(), set)
			require.NoError(t, err)
			body := make([]byte, tc.entry)
			for range tc.all / tc.entry {
				room, err := s.Reserve(t.Context(), int64(tc.entry))
				require.NoError(t, err)
				_, err = room.Commit(t.Context(), Batch{ReceivedAt: time.Now(), Body: body})
				room.Release()
				require.NoError(t, err)
			}
			held := s.Stats().Bytes
			files := filesIn(t, dir)
			require.NoError(t, s.Close(t.Context()))
			t.Logf("%d MiB held, files of %d MiB (%.2f)", held>>20, files>>20, float64(files)/float64(held))
			require.LessOrEqual(t, float64(files)/float64(held), tc.most)
		})
	}
}

// filesIn is the size of the files in a directory.
func filesIn(t *testing.T, dir string) (size int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		info, err := entry.Info()
		require.NoError(t, err)
		size += info.Size()
	}
	return size
}
