// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

// oneSegment makes room for more entries in a segment than a head reserves at once.
func oneSegment(set *Settings) { set.SegmentBytes = 512 << 10 }

// More entries than a block, of which the oldest waits for long, while the others around it are delivered.
func TestCommitAfterDamageOverwritesNothing(t *testing.T) {
	for _, tt := range []struct {
		name     string
		spoil    func(disk *crashtest.Disk)
		repaired int
	}{
		{"head flipped", func(disk *crashtest.Disk) { disk.Flip(t, "spool_0/head", 40) }, 1},
		{"head gone", func(disk *crashtest.Disk) { require.NoError(t, disk.Client().Delete(t.Context(), "spool_0/head")) }, 1},
		{"done flipped", func(disk *crashtest.Disk) { disk.Flip(t, "spool_0/done", 40) }, 1},
		{"done gone", func(disk *crashtest.Disk) { require.NoError(t, disk.Client().Delete(t.Context(), "spool_0/done")) }, 1},
		{"manifest flipped", func(disk *crashtest.Disk) { disk.Flip(t, "root/spool", 40) }, 1},
		{"nothing", func(*crashtest.Disk) {}, 0},
	} {
		for _, plain := range []bool{false, true} {
			for _, gap := range []int{0, 3 * seqBlock} {
				t.Run(fmt.Sprintf("%s plain=%t gap=%d", tt.name, plain, gap), func(t *testing.T) {
					disk, kept := withGap(t, 300, gap)
					tt.spoil(disk)
					st := newStore(disk)
					st.Plain = plain
					s := st.spool(t, oneSegment)
					require.Equal(t, tt.repaired, s.Stats().Repaired)
					for i := range 200 {
						body := fmt.Sprintf("new %d", i)
						commit(t, s, body)
						kept = append(kept, body)
					}
					require.NoError(t, s.Close(t.Context()))
					again := newStore(disk)
					again.Plain = plain
					s = again.spool(t, oneSegment)
					require.Zero(t, s.Stats().Repaired, "what was damaged is mended")
					require.Equal(t, kept, drain(t, s))
					require.Zero(t, s.Stats().Lost)
					require.Zero(t, s.Stats().Missing)
				})
			}
		}
	}
}

// withGap returns a disk with a closed spool of n entries in one segment, and these. After the first so many were delivered.
func withGap(t *testing.T, n, gap int) (*crashtest.Disk, []string) {
	t.Helper()
	disk := crashtest.NewDisk()
	s := newStore(disk).spool(t, oneSegment)
	kept := numbered(n, 100)
	commit(t, s, kept[0])
	first, err := s.Next(t.Context())
	require.NoError(t, err)
	for range gap {
		commit(t, s, "delivered")
		e, err := s.Next(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Delete(t.Context(), e))
	}
	s.Return(first)
	for _, b := range kept[1:] {
		commit(t, s, b)
	}
	require.NoError(t, s.Close(t.Context()))
	return disk, kept
}

func TestManifestAndHeadDamagedAtOnce(t *testing.T) {
	spoiled := func() *crashtest.Disk {
		disk := filled(t, numbered(300, 100), oneSegment)
		disk.Flip(t, "root/spool", 40)
		disk.Flip(t, "spool_0/head", 40)
		return disk
	}
	s := newStore(spoiled()).spool(t, oneSegment)
	for range 50 {
		commit(t, s, "new")
	}
	require.Len(t, drain(t, s), 350)

	st := newStore(spoiled())
	st.Plain = true
	_, err := Open(t.Context(), st.settings(t))
	require.ErrorContains(t, err, "reading segment 0 of the spool: neither its head nor the spool's manifest can be read")
	require.Empty(t, st.Open())
}

// An old or wrong record, whatever made it so, must not make a commit overwrite what is there.
func TestCommitSkipsOccupiedNumbers(t *testing.T) {
	bodies := numbered(300, 100)
	disk := filled(t, bodies, oneSegment)
	st := newStore(disk)
	st.Plain = true
	s := st.spool(t, oneSegment)
	s.mu.Lock()
	s.next, s.tail().queue, s.tail().entries = 100, nil, 0 // as if neither head nor manifest knew of more
	s.tail().head.Next = 100
	s.mu.Unlock()
	commit(t, s, "new")
	require.Equal(t, append(slices.Clip(bodies[99:]), "new"), drain(t, s))
}

func TestMissingEntriesAreCounted(t *testing.T) {
	tests := []struct {
		name    string
		gone    []int
		plain   bool
		missing int
	}{
		{"one in the middle", []int{7}, false, 1},
		{"the newest", []int{28, 29, 30}, true, 3},
		{"the oldest", []int{1, 2}, false, 2},
		{"of a sealed segment the newest", []int{12, 13}, true, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			disk := filled(t, numbered(30, 1000))
			for _, n := range tt.gone {
				for _, key := range disk.Keys() {
					if strings.HasSuffix(key, "/"+entryKey(uint64(n))) {
						require.NoError(t, disk.Client().Delete(t.Context(), key))
					}
				}
			}
			st := newStore(disk)
			st.Plain = tt.plain
			s := st.spool(t)
			require.Len(t, drain(t, s), 30-len(tt.gone))
			require.Equal(t, tt.missing, s.Stats().Missing)
			require.Zero(t, s.Stats().Lost)
			require.NoError(t, s.Close(t.Context()))
			require.Zero(t, newStore(disk).spool(t).Stats().Missing, "said once")
		})
	}
}

func TestNothingIsMissingAfterFailedWrites(t *testing.T) {
	disk := crashtest.NewDisk()
	st := newStore(disk, crashtest.FailSet("spool_0/"+entryKey(2), 1, errBroken), crashtest.FailSet("spool_0/"+entryKey(4), 1, errBroken))
	st.FailOpen = func(name string) error { // no segment but the first
		if name != clientName(0) {
			return errBroken
		}
		return nil
	}
	s := st.spool(t)
	for i := range 6 {
		if _, err := tryCommit(t.Context(), s, strconv.Itoa(i)); err != nil {
			require.ErrorIs(t, err, errBroken)
		}
	}
	// No Close: the process was killed.
	again := newStore(disk).spool(t)
	require.Zero(t, again.Stats().Missing)
	require.Equal(t, []string{"0", "2", "4", "5"}, drain(t, again))
}
