// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

// filled returns a disk with a closed spool that holds the bodies.
func filled(t *testing.T, bodies []string, change ...func(*Settings)) *crashtest.Disk {
	t.Helper()
	disk := crashtest.NewDisk()
	s := newStore(disk).spool(t, change...)
	for _, b := range bodies {
		commit(t, s, b)
	}
	require.NoError(t, s.Close(t.Context()))
	return disk
}

func TestEveryFlippedByteOfAnEntryIsNoticed(t *testing.T) {
	disk := filled(t, []string{"first", "second", "third"})
	key := clientName(0) + "/" + entryKey(2)
	for offset := range len(disk.Value(key)) {
		damaged := disk.Clone()
		damaged.Flip(t, key, offset)
		s := newStore(damaged).spool(t)
		var bodies []string
		corrupt := 0
		for s.Stats().Entries > 0 {
			e, err := s.Next(t.Context())
			require.NoError(t, err)
			if e.Err != nil {
				require.ErrorIs(t, e.Err, ErrCorrupt)
				require.Equal(t, damaged.Value(key), e.Raw, "what is stored is kept for a human")
				corrupt++
			} else {
				bodies = append(bodies, string(e.Body))
			}
			require.NoError(t, s.Delete(t.Context(), e))
		}
		require.Equal(t, 1, corrupt, "byte %d", offset)
		require.Equal(t, []string{"first", "third"}, bodies, "byte %d", offset)
		require.NoError(t, s.Close(t.Context()))
	}
}

func TestEntryUnderAnotherKeyIsCorrupt(t *testing.T) {
	for _, to := range []string{entryKey(9), "f" + entryKey(1)[1:], "e1"} {
		disk := filled(t, []string{"x"})
		client := disk.Client()
		require.NoError(t, client.Set(t.Context(), clientName(0)+"/"+to, disk.Value(clientName(0)+"/"+entryKey(1))))
		require.NoError(t, client.Delete(t.Context(), clientName(0)+"/"+entryKey(1)))

		s := newStore(disk).spool(t)
		e, err := s.Next(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, e.Err, ErrCorrupt)
		require.NoError(t, s.Delete(t.Context(), e))
		require.Zero(t, s.Stats().Entries)
		require.NoError(t, s.Close(t.Context()))
		require.Equal(t, []string{"root/spool", "spool_0/done", "spool_0/head"}, disk.Keys())
	}
}

func TestEntryThatVanishesIsReported(t *testing.T) {
	disk := filled(t, []string{"x"})
	s := newStore(disk).spool(t)
	require.NoError(t, disk.Client().Delete(t.Context(), clientName(0)+"/"+entryKey(1)))
	e, err := s.Next(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, e.Err, ErrCorrupt)
	require.Nil(t, e.Raw)
}

func TestManifestLostOrDamagedIsRebuilt(t *testing.T) {
	bodies := numbered(30, 1000)
	for _, tt := range []struct {
		name           string
		spoil          func(disk *crashtest.Disk)
		lost, repaired int
	}{
		{"lost", func(disk *crashtest.Disk) { require.NoError(t, disk.Client().Delete(t.Context(), "root/spool")) }, 1, 0},
		{"damaged", func(disk *crashtest.Disk) { disk.Flip(t, "root/spool", 40) }, 0, 1},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				disk := filled(t, bodies)
				tt.spoil(disk)
				st := newStore(disk)
				st.Plain = plain
				told := 0
				s := st.spool(t, func(set *Settings) {
					set.OnRootLost = func(context.Context) error {
						told++
						return nil
					}
				})
				commit(t, s, "new")
				require.Equal(t, append(slices.Clip(bodies), "new"), drain(t, s))
				require.Equal(t, tt.lost == 1, s.Stats().RootLost)
				require.Equal(t, tt.lost, told)
				require.Zero(t, s.Stats().Lost)
				require.Equal(t, tt.repaired, s.Stats().Repaired)
				require.NoError(t, s.Close(t.Context()))
				again := newStore(disk).spool(t)
				require.False(t, again.Stats().RootLost, "it was said")
			})
		}
	}
}

// Segments prove that it is no first start, however empty they are; and what cannot be noted is told again.
func TestLossOfTheRootIsToldUntilItIsNoted(t *testing.T) {
	disk := crashtest.NewDisk()
	require.NoError(t, newStore(disk).spool(t).Close(t.Context())) // a first start without an entry
	require.NoError(t, disk.Client().Delete(t.Context(), "root/spool"))
	set := newStore(disk).settings(t)
	set.OnRootLost = func(context.Context) error { return errBroken }
	for range 2 {
		_, err := Open(t.Context(), set)
		require.ErrorIs(t, err, errBroken)
	}
	set.OnRootLost = nil
	s, err := Open(t.Context(), set)
	require.NoError(t, err)
	require.True(t, s.Stats().RootLost)
	require.NoError(t, s.Close(t.Context()))
}

func TestDamagedHeadLosesNothing(t *testing.T) {
	bodies := numbered(30, 1000)
	for _, plain := range []bool{false, true} {
		disk := filled(t, bodies)
		for _, key := range disk.Keys() {
			if strings.HasSuffix(key, "/head") {
				disk.Flip(t, key, -1)
			}
		}
		st := newStore(disk)
		st.Plain = plain
		require.Equal(t, bodies, drain(t, st.spool(t)))
	}
}

func TestLostSegmentIsCounted(t *testing.T) {
	for slot, left := range map[int]int{0: 26, 3: 26, 7: 28} { // the first, one in the middle, the one being written
		disk := filled(t, numbered(30, 1000))
		for _, key := range disk.Keys() {
			if strings.HasPrefix(key, clientName(slot)+"/") {
				require.NoError(t, disk.Client().Delete(t.Context(), key))
			}
		}
		s := newStore(disk).spool(t)
		require.Len(t, drain(t, s), left)
		require.Equal(t, 1, s.Stats().Lost)
		commit(t, s, "more")
		require.Len(t, drain(t, s), 1)
		require.NoError(t, s.Close(t.Context()))
	}
}

func TestStorageThatCannotBeReadFailsTheStart(t *testing.T) {
	disk := filled(t, numbered(30, 1000))
	for _, key := range []string{"root/spool", "spool_0/head", "spool_7/head", "spool_0/" + entryKey(2)} {
		st := newStore(disk.Clone(), crashtest.FailGet(key, -1, errBroken))
		_, err := Open(t.Context(), st.settings(t))
		require.ErrorIs(t, err, errBroken, key)
		require.Empty(t, st.Open())
	}
	st := newStore(disk)
	st.FailOpen = func(string) error { return errBroken }
	_, err := Open(t.Context(), st.settings(t))
	require.ErrorIs(t, err, errBroken)
}

func TestNewerFormatFailsTheStart(t *testing.T) {
	for _, key := range []string{"root/spool", "spool_0/done", "spool_0/head"} {
		disk := filled(t, []string{"x"})
		newer, err := durable.Seal(manifestVersion+1, manifest{})
		require.NoError(t, err)
		require.NoError(t, disk.Client().Set(t.Context(), key, newer))
		_, err = Open(t.Context(), newStore(disk).settings(t))
		require.ErrorIs(t, err, durable.ErrNewerVersion)
	}
}

func TestReadErrorTakesNothing(t *testing.T) {
	disk := filled(t, []string{"a", "b"})
	st := newStore(disk)
	st.Plain = true
	s := st.spool(t)
	st.Process = disk.Client(crashtest.FailGet("", 2, errBroken))
	for range 2 {
		_, err := s.Next(t.Context())
		require.ErrorIs(t, err, errBroken)
	}
	require.Equal(t, []string{"a", "b"}, drain(t, s))
}

// What damages the manifest can damage a segment as well; those behind it are there all the same.
func TestSegmentsBehindALostOneAreFoundWithoutTheManifest(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, *crashtest.Disk){
		"manifest damaged": func(t *testing.T, d *crashtest.Disk) { t.Helper(); d.Flip(t, "root/"+manifestKey, 30) },
		"manifest gone": func(t *testing.T, d *crashtest.Disk) {
			t.Helper()
			require.NoError(t, d.Client().Delete(t.Context(), "root/"+manifestKey))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bodies := numbered(40, 1000)
			disk := filled(t, bodies)
			gone := 0
			for _, key := range disk.Keys() {
				if strings.HasPrefix(key, clientName(1)+"/") {
					require.NoError(t, disk.Client().Delete(t.Context(), key))
					if key != clientName(1)+"/"+headKey && key != clientName(1)+"/"+doneKey {
						gone++
					}
				}
			}
			require.Positive(t, gone)
			damage(t, disk)
			s := newStore(disk).spool(t)
			require.Equal(t, 1, s.Stats().Lost)
			found := drain(t, s)
			require.Len(t, found, len(bodies)-gone)
			require.Subset(t, bodies, found)
		})
	}
}
