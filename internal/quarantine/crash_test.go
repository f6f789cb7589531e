// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package quarantine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

// truth is what the callers of a Store may rely on: what was acknowledged, and what was asked for without an answer.
type truth struct {
	present map[string]bool // acknowledged Put, no Delete asked for
	doubted map[string]bool // Put or Delete without acknowledgement
	puts    int
}

// live is one life of a process: it puts new entries and deletes old ones until the crash, or to the end of its script.
func (tr *truth) live(t *testing.T, client storage.Client) {
	t.Helper()
	s, err := Open(t.Context(), client, Limits{})
	if err != nil {
		require.ErrorIs(t, err, crashtest.ErrCrashed)
		return
	}
	put := func() (alive bool) {
		data := fmt.Sprint("entry ", tr.puts)
		tr.puts++
		if err := s.Put(t.Context(), entry(data)); err != nil {
			require.ErrorIs(t, err, crashtest.ErrCrashed)
			tr.doubted[data] = true
			return false
		}
		tr.present[data] = true
		return true
	}
	deleteAt := func(i int) (alive bool) {
		entries, err := s.List(t.Context())
		require.NoError(t, err)
		data := string(entries[i].Data)
		delete(tr.present, data)
		if err := s.Delete(t.Context(), entries[i].Seq); err != nil {
			require.ErrorIs(t, err, crashtest.ErrCrashed)
			tr.doubted[data] = true
			return false
		}
		delete(tr.doubted, data)
		return true
	}
	first, second := func() bool { return deleteAt(0) }, func() bool { return deleteAt(1) }
	for _, step := range []func() bool{put, put, first, put, second, put} {
		if !step() {
			return
		}
	}
}

// check compares what a new process finds with the truth.
func (tr *truth) check(t *testing.T, disk *crashtest.Disk) {
	t.Helper()
	s := mustOpen(t, disk.Client(), Limits{})
	found := map[string]bool{}
	for _, data := range contents(t, s) {
		require.False(t, found[data], "%s is there twice", data)
		require.True(t, tr.present[data] || tr.doubted[data], "%s was deleted or never put", data)
		found[data] = true
	}
	for data := range tr.present {
		require.True(t, found[data], "%s is lost", data)
	}

	// Whatever an interrupted write left behind goes away with the next one.
	require.NoError(t, s.Put(t.Context(), entry("last")))
	require.Len(t, disk.Keys(), s.Stats().Entries+2, "index, copy and items only")
	require.Zero(t, s.Stats().Repaired, "a crash is no damage")
}

var modes = map[string][]crashtest.Option{
	"atomic":                     nil,
	"atomic, unacknowledged":     {crashtest.Unacknowledged()},
	"one by one":                 {crashtest.NonAtomic()},
	"one by one, unacknowledged": {crashtest.NonAtomic(), crashtest.Unacknowledged()},
}

func TestCrashAfterEveryWriteAndEveryPairLosesNothing(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			crashAfter := func(k int) []crashtest.Option { return append([]crashtest.Option{crashtest.CrashAfter(k)}, mode...) }
			newTruth := func() *truth { return &truth{present: map[string]bool{}, doubted: map[string]bool{}} }

			points := 0
			for first := 0; ; first++ {
				require.Less(t, first, 100)
				disk, tr := crashtest.NewDisk(), newTruth()
				client := disk.Client(crashAfter(first)...)
				tr.live(t, client)
				tr.check(t, disk.Clone())
				if !client.Crashed() {
					points = first
					break
				}
				for second := 0; ; second++ {
					require.Less(t, second, 100)
					disk, tr := crashtest.NewDisk(), newTruth()
					tr.live(t, disk.Client(crashAfter(first)...))
					client := disk.Client(crashAfter(second)...)
					tr.live(t, client)
					tr.check(t, disk)
					if !client.Crashed() {
						break
					}
				}
			}
			require.GreaterOrEqual(t, points, 6, "too few crash points were visited")
		})
	}
}
