// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package quarantine

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

// listed is a storage that can be listed.
type listed struct {
	storage.Client
	disk *crashtest.Disk
}

func (l listed) Walk(_ context.Context, fn storage.WalkFunc) error {
	for _, key := range l.disk.Keys() {
		if _, err := fn(key, l.disk.Value(key)); err != nil {
			return err
		}
	}
	return nil
}

var storages = map[string]func(*crashtest.Disk) storage.Client{
	"listed":   func(d *crashtest.Disk) storage.Client { return listed{d.Client(), d} },
	"unlisted": func(d *crashtest.Disk) storage.Client { return d.Client() },
}

// Whatever becomes of the index and its copy, the entries are there.
func TestADamagedIndexIsMadeAnew(t *testing.T) {
	remove := func(t *testing.T, d *crashtest.Disk, key string) {
		t.Helper()
		require.NoError(t, d.Client().Delete(t.Context(), key))
	}
	flip := func(t *testing.T, d *crashtest.Disk, key string) {
		t.Helper()
		d.Flip(t, key, 50)
	}
	tear := func(t *testing.T, d *crashtest.Disk, key string) {
		t.Helper()
		require.NoError(t, d.Client().Set(t.Context(), key, d.Value(key)[:25]))
	}
	type damage func(*testing.T, *crashtest.Disk, string)
	for _, tt := range []struct {
		name  string
		index damage
		copy  damage
	}{
		{"index flipped", flip, nil},
		{"index torn", tear, nil},
		{"index gone", remove, nil},
		{"both flipped", flip, flip},
		{"index flipped, copy gone", flip, remove},
		{"index gone, copy torn", remove, tear},
		{"both gone", remove, remove},
	} {
		for name, client := range storages {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				disk := crashtest.NewDisk()
				s := mustOpen(t, disk.Client(), Limits{})
				for _, data := range []string{"a", "b", "c", "d"} {
					require.NoError(t, s.Put(t.Context(), entry(data)))
				}
				require.NoError(t, s.Delete(t.Context(), 2))
				tt.index(t, disk, indexKey)
				if tt.copy != nil {
					tt.copy(t, disk, copyKey)
				}

				s = mustOpen(t, client(disk), Limits{})
				require.Equal(t, []string{"a", "c", "d"}, contents(t, s))
				require.Equal(t, 1, s.Stats().Repaired)
				require.Zero(t, s.Stats().Unreadable)
				require.NoError(t, s.Put(t.Context(), entry("e")))

				s = mustOpen(t, client(disk), Limits{})
				require.Equal(t, []string{"a", "c", "d", "e"}, contents(t, s))
				require.Zero(t, s.Stats().Repaired, "it is mended in the storage")
				seqs, err := s.Seqs(t.Context())
				require.NoError(t, err)
				require.Equal(t, []uint64{1, 3, 4, 5}, seqs, "numbers are never used twice")
			})
		}
	}
}

func TestADamagedCopyIsMendedSilently(t *testing.T) {
	disk := crashtest.NewDisk()
	require.NoError(t, mustOpen(t, disk.Client(), Limits{}).Put(t.Context(), entry("a")))
	disk.Flip(t, copyKey, 50)
	s := mustOpen(t, disk.Client(), Limits{})
	require.Equal(t, []string{"a"}, contents(t, s))
	require.Equal(t, disk.Value(indexKey), disk.Value(copyKey))
	require.Zero(t, s.Stats().Repaired, "nothing was in doubt")
}

// Of a storage that an older release has written there is no copy yet.
func TestACopyIsMadeOfAnIndexWithoutOne(t *testing.T) {
	disk := crashtest.NewDisk()
	require.NoError(t, mustOpen(t, disk.Client(), Limits{}).Put(t.Context(), entry("a")))
	require.NoError(t, disk.Client().Delete(t.Context(), copyKey))
	mustOpen(t, disk.Client(), Limits{})
	disk.Flip(t, indexKey, 50)
	require.Equal(t, []string{"a"}, contents(t, mustOpen(t, disk.Client(), Limits{})))
}

func TestDamagedEntriesAreCountedWhenTheIndexIsMadeAnew(t *testing.T) {
	for name, client := range storages {
		t.Run(name, func(t *testing.T) {
			disk := crashtest.NewDisk()
			s := mustOpen(t, disk.Client(), Limits{})
			for _, data := range []string{"a", "b", "c"} {
				require.NoError(t, s.Put(t.Context(), entry(data)))
			}
			disk.Flip(t, indexKey, 50)
			disk.Flip(t, copyKey, 50)
			disk.Flip(t, itemKey(2), 90)

			s = mustOpen(t, client(disk), Limits{})
			require.Equal(t, 3, s.Stats().Entries, "damage is not forgotten")
			require.Equal(t, 1, s.Stats().Unreadable)
			entries, err := s.List(t.Context())
			require.ErrorIs(t, err, ErrCorrupt)
			require.Len(t, entries, 2)
			require.NoError(t, s.Delete(t.Context(), 2))
			require.Zero(t, s.Stats().Unreadable)
			require.Equal(t, []string{"a", "c"}, contents(t, s))
		})
	}
}

// A storage without atomic batches can stop between the index and its copy; then the index is damaged as well.
func TestALateCopyKnowsAllButWhatFollowsFromTheEntries(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*testing.T, *Store) error
		want   []string
	}{
		{"after a put", func(t *testing.T, s *Store) error { t.Helper(); return s.Put(t.Context(), entry("c")) }, []string{"a", "b", "c"}},
		// It had been announced and not done yet.
		{"after a delete", func(t *testing.T, s *Store) error { t.Helper(); return s.Delete(t.Context(), 1) }, []string{"a", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := crashtest.NewDisk()
			s := mustOpen(t, disk.Client(), Limits{})
			require.NoError(t, s.Put(t.Context(), entry("a")))
			require.NoError(t, s.Put(t.Context(), entry("b")))
			before := disk.Value(indexKey)
			broken := errors.New("input/output error")
			s = mustOpen(t, disk.Client(crashtest.NonAtomic(), crashtest.FailSet(copyKey, 1, broken)), Limits{})
			require.ErrorIs(t, tt.change(t, s), broken)
			require.NotEqual(t, before, disk.Value(indexKey))
			require.Equal(t, before, disk.Value(copyKey))

			disk.Flip(t, indexKey, 50)
			require.Equal(t, tt.want, contents(t, mustOpen(t, disk.Client(), Limits{})))
		})
	}
}

func TestEntriesFarApartAreFoundInAStorageThatCannotBeListed(t *testing.T) {
	disk := crashtest.NewDisk()
	s := mustOpen(t, disk.Client(), Limits{})
	var want []string
	for i := range 700 {
		require.NoError(t, s.Put(t.Context(), entry(strconv.Itoa(i))))
		if i%350 != 10 {
			require.NoError(t, s.Delete(t.Context(), uint64(i+1)))
			continue
		}
		want = append(want, strconv.Itoa(i))
	}
	disk.Flip(t, indexKey, 50)
	disk.Flip(t, copyKey, 50)
	require.Equal(t, want, contents(t, mustOpen(t, disk.Client(), Limits{})))
}

func TestTroubleWhileTheIndexIsMadeAnewIsNotTakenForEmptiness(t *testing.T) {
	broken := errors.New("input/output error")
	for name, prepare := range map[string]func(*testing.T, *crashtest.Disk){
		"copy":    func(*testing.T, *crashtest.Disk) {},
		"entries": func(t *testing.T, d *crashtest.Disk) { t.Helper(); d.Flip(t, copyKey, 50) },
	} {
		t.Run(name, func(t *testing.T) {
			disk := crashtest.NewDisk()
			require.NoError(t, mustOpen(t, disk.Client(), Limits{}).Put(t.Context(), entry("a")))
			disk.Flip(t, indexKey, 50)
			prepare(t, disk)
			_, err := Open(t.Context(), disk.Client(crashtest.FailGet(itemKey(2), 1, broken)), Limits{})
			require.ErrorIs(t, err, broken)
			require.Equal(t, []string{"a"}, contents(t, mustOpen(t, disk.Client(), Limits{})))
		})
	}

	disk := crashtest.NewDisk()
	newer, err := durable.Seal(version+1, index{})
	require.NoError(t, err)
	require.NoError(t, disk.Client().Set(t.Context(), indexKey, []byte("damaged")))
	require.NoError(t, disk.Client().Set(t.Context(), copyKey, newer))
	_, err = Open(t.Context(), disk.Client(), Limits{})
	require.ErrorIs(t, err, durable.ErrNewerVersion)
}

func TestGetReturnsOneEntry(t *testing.T) {
	disk := crashtest.NewDisk()
	s := mustOpen(t, disk.Client(), Limits{})
	require.NoError(t, s.Put(t.Context(), entry("a")))
	require.NoError(t, s.Put(t.Context(), entry("b")))
	disk.Flip(t, itemKey(2), 90)
	got, err := s.Get(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "a", string(got.Data))
	require.Equal(t, uint64(1), got.Seq)
	_, err = s.Get(t.Context(), 2)
	require.ErrorIs(t, err, ErrCorrupt)
	_, err = s.Get(t.Context(), 3)
	require.ErrorIs(t, err, ErrAbsent)
}
