// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package quarantine

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

func entry(data string) Entry {
	return Entry{
		At:     time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Reason: "refused",
		Source: "some_receiver/eu10",
		Data:   []byte(data),
		Format: FormatOTLPProto,
	}
}

func mustOpen(t *testing.T, client storage.Client, limits Limits) *Store {
	t.Helper()
	s, err := Open(t.Context(), client, limits)
	require.NoError(t, err)
	return s
}

// contents returns the data of all entries; all of them must be readable.
func contents(t *testing.T, s *Store) []string {
	t.Helper()
	entries, err := s.List(t.Context())
	require.NoError(t, err)
	require.Len(t, entries, s.Len())
	var data []string
	for _, e := range entries {
		data = append(data, string(e.Data))
	}
	return data
}

func TestEntriesComeBackUnchangedAndInOrder(t *testing.T) {
	disk := crashtest.NewDisk()
	s := mustOpen(t, disk.Client(), Limits{})
	require.Zero(t, s.Len())
	require.Empty(t, disk.Keys(), "an empty quarantine writes nothing")

	first, second := entry("\x00\xff"), entry("second")
	second.Format = FormatRaw
	require.NoError(t, s.Put(t.Context(), first))
	require.NoError(t, s.Put(t.Context(), second))
	first.Seq, second.Seq = 1, 2

	for _, s := range []*Store{s, mustOpen(t, disk.Client(), Limits{})} {
		got, err := s.List(t.Context())
		require.NoError(t, err)
		require.Equal(t, []Entry{first, second}, got)
		require.Equal(t, 2, s.Len())
		require.Equal(t, int64(len(disk.Value(itemKey(1)))+len(disk.Value(itemKey(2)))), s.Stats().Bytes)
	}
}

func TestPutFillsInTheTime(t *testing.T) {
	s := mustOpen(t, durable.NewMemory(), Limits{})
	before := time.Now()
	require.NoError(t, s.Put(t.Context(), Entry{Data: []byte("x")}))
	got, err := s.List(t.Context())
	require.NoError(t, err)
	require.WithinRange(t, got[0].At, before.Add(-time.Second), time.Now())
}

func TestDeleteRemovesOneEntryForGood(t *testing.T) {
	disk := crashtest.NewDisk()
	s := mustOpen(t, disk.Client(), Limits{})
	for _, data := range []string{"a", "b", "c"} {
		require.NoError(t, s.Put(t.Context(), entry(data)))
	}
	each := s.Stats().Bytes / 3
	require.NoError(t, s.Delete(t.Context(), 2))
	require.NoError(t, s.Delete(t.Context(), 2))
	require.NoError(t, s.Delete(t.Context(), 77))
	require.Equal(t, []string{"a", "c"}, contents(t, s))
	require.Equal(t, 2*each, s.Stats().Bytes)
	require.NotContains(t, disk.Keys(), itemKey(2))

	require.NoError(t, s.Delete(t.Context(), 3))
	require.NoError(t, s.Put(t.Context(), entry("d")))
	got, err := s.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(4), got[1].Seq, "numbers are never used twice")
	require.Equal(t, []string{"a", "d"}, contents(t, mustOpen(t, disk.Client(), Limits{})))
}

func TestLimitsRefuseAndNeverEvict(t *testing.T) {
	size := int64(0)
	{
		s := mustOpen(t, durable.NewMemory(), Limits{})
		require.NoError(t, s.Put(t.Context(), entry("1")))
		size = s.Stats().Bytes
	}
	tests := []struct {
		name   string
		limits Limits
	}{
		{"entries", Limits{Entries: 2}},
		{"bytes", Limits{Bytes: 3*size - 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := durable.NewMemory()
			s := mustOpen(t, client, tt.limits)
			require.NoError(t, s.Put(t.Context(), entry("1")))
			require.NoError(t, s.Put(t.Context(), entry("2")))
			require.ErrorIs(t, s.Put(t.Context(), entry("3")), ErrFull)
			require.Equal(t, []string{"1", "2"}, contents(t, s))

			s = mustOpen(t, client, tt.limits)
			require.ErrorIs(t, s.Put(t.Context(), entry("3")), ErrFull, "limits hold across restarts")
			require.NoError(t, s.Delete(t.Context(), 1))
			require.NoError(t, s.Put(t.Context(), entry("3")))
			require.Equal(t, []string{"2", "3"}, contents(t, s))
		})
	}
}

func TestDefaultLimits(t *testing.T) {
	s := mustOpen(t, durable.NewMemory(), Limits{Entries: -1})
	require.Equal(t, Limits{Entries: 1000, Bytes: 64 << 20}, s.limits)
}

func TestSmallerLimitsKeepWhatIsThere(t *testing.T) {
	client := durable.NewMemory()
	s := mustOpen(t, client, Limits{})
	require.NoError(t, s.Put(t.Context(), entry("1")))
	require.NoError(t, s.Put(t.Context(), entry("2")))
	s = mustOpen(t, client, Limits{Entries: 1})
	require.Equal(t, []string{"1", "2"}, contents(t, s))
	require.ErrorIs(t, s.Put(t.Context(), entry("3")), ErrFull)
}

func TestDamagedEntriesAreReportedAndSkipped(t *testing.T) {
	disk := crashtest.NewDisk()
	s := mustOpen(t, disk.Client(), Limits{})
	for _, data := range []string{"a", "b", "c", "d"} {
		require.NoError(t, s.Put(t.Context(), entry(data)))
	}
	disk.Flip(t, itemKey(2), 40)
	require.NoError(t, disk.Client().Delete(t.Context(), itemKey(3)))

	s = mustOpen(t, disk.Client(), Limits{})
	got, err := s.List(t.Context())
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "quarantine entry 2")
	require.ErrorContains(t, err, "quarantine entry 3")
	require.Len(t, got, 2)
	require.Equal(t, "a", string(got[0].Data))
	require.Equal(t, "d", string(got[1].Data))
	require.Equal(t, 4, s.Len(), "damage is not forgotten")

	require.NoError(t, s.Delete(t.Context(), 2))
	require.NoError(t, s.Delete(t.Context(), 3))
	require.Equal(t, []string{"a", "d"}, contents(t, s))
}

func TestUnreadableEntryIsNotCalledDamaged(t *testing.T) {
	disk := crashtest.NewDisk()
	require.NoError(t, mustOpen(t, disk.Client(), Limits{}).Put(t.Context(), entry("a")))
	broken := errors.New("input/output error")
	s := mustOpen(t, disk.Client(crashtest.FailGet(itemKey(1), 1, broken)), Limits{})
	_, err := s.List(t.Context())
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, ErrCorrupt)
	require.Equal(t, []string{"a"}, contents(t, s))
}

func TestListStopsWithItsContext(t *testing.T) {
	s := mustOpen(t, durable.NewMemory(), Limits{})
	require.NoError(t, s.Put(t.Context(), entry("a")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.List(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestOpenNeverStartsAfreshOnTrouble(t *testing.T) {
	broken := errors.New("input/output error")
	disk := crashtest.NewDisk()
	require.NoError(t, mustOpen(t, disk.Client(), Limits{}).Put(t.Context(), entry("a")))

	_, err := Open(t.Context(), disk.Client(crashtest.FailGet(indexKey, 1, broken)), Limits{})
	require.ErrorIs(t, err, broken)

	newer, err := durable.Seal(version+1, index{})
	require.NoError(t, err)
	require.NoError(t, disk.Client().Set(t.Context(), indexKey, newer))
	_, err = Open(t.Context(), disk.Client(), Limits{})
	require.ErrorIs(t, err, durable.ErrNewerVersion)
}

func TestFailedWritesLeaveATrueStore(t *testing.T) {
	broken := errors.New("input/output error")
	tests := []struct {
		name  string
		fault crashtest.Option
		want  []string // after a failing Put("b") or, failing that, a failing Delete(1), and then Put("c")
	}{
		{"item of a put", crashtest.FailSet(itemKey(2), 1, broken), []string{"c"}},
		{"index of a put", crashtest.FailSet(indexKey, 1, broken), []string{"c"}},
		{"item of a delete", crashtest.FailDelete(itemKey(1), 1, broken), []string{"b", "c"}},
	}
	for _, tt := range tests {
		for name, mode := range map[string]crashtest.Option{"atomic": func(*crashtest.Client) {}, "one by one": crashtest.NonAtomic()} {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				disk := crashtest.NewDisk()
				require.NoError(t, mustOpen(t, disk.Client(), Limits{}).Put(t.Context(), entry("a")))

				s := mustOpen(t, disk.Client(mode, tt.fault), Limits{})
				failed := errors.Join(s.Put(t.Context(), entry("b")), s.Delete(t.Context(), 1))
				require.ErrorIs(t, failed, broken)
				require.NoError(t, s.Delete(t.Context(), 1))
				require.NoError(t, s.Put(t.Context(), entry("c")))

				require.Equal(t, tt.want, contents(t, s))
				reopened := mustOpen(t, disk.Client(), Limits{})
				require.Equal(t, tt.want, contents(t, reopened))
				require.Equal(t, reopened.Stats().Bytes, s.Stats().Bytes)
				require.Len(t, disk.Keys(), len(tt.want)+2, "no item is left behind")
			})
		}
	}
}

// deaf applies batches but loses the acknowledgement of the next one.
type deaf struct {
	storage.Client
	next *error
}

func (d deaf) Batch(ctx context.Context, ops ...*storage.Operation) error {
	err := *d.next
	*d.next = nil
	return errors.Join(d.Client.Batch(ctx, ops...), err)
}

func TestLostAcknowledgementIsNotTakenForAFailure(t *testing.T) {
	lost := errors.New("connection reset")
	next := error(nil)
	s := mustOpen(t, deaf{durable.NewMemory(), &next}, Limits{})
	require.NoError(t, s.Put(t.Context(), entry("a")))
	require.NoError(t, s.Put(t.Context(), entry("b")))

	next = lost
	require.ErrorIs(t, s.Delete(t.Context(), 1), lost)
	require.NoError(t, s.Put(t.Context(), entry("c")))
	require.Equal(t, []string{"b", "c"}, contents(t, s))

	next = lost
	require.ErrorIs(t, s.Put(t.Context(), entry("d")), lost)
	require.NoError(t, s.Delete(t.Context(), 3))
	require.Equal(t, []string{"b", "d"}, contents(t, s))
}

func TestFullStorageIsAnError(t *testing.T) {
	disk := crashtest.NewDisk()
	s := mustOpen(t, disk.Client(crashtest.MaxBytes(2000)), Limits{})
	require.NoError(t, s.Put(t.Context(), entry("a")))
	err := s.Put(t.Context(), entry(string(bytes.Repeat([]byte("b"), 2000))))
	require.ErrorIs(t, err, storage.ErrStorageFull)
	require.NotErrorIs(t, err, ErrFull)
	require.Equal(t, []string{"a"}, contents(t, s))
	require.NoError(t, s.Delete(t.Context(), 1))
}

func TestConcurrentPutsAllArrive(t *testing.T) {
	s := mustOpen(t, durable.NewMemory(), Limits{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := s.Put(t.Context(), entry("x")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Len(t, contents(t, s), 20)
}
