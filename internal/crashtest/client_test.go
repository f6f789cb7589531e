// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

func TestCrashLeavesExactlyTheWritesBeforeIt(t *testing.T) {
	batch := func() []*storage.Operation {
		return []*storage.Operation{
			storage.SetOperation("a", []byte("1")),
			storage.SetOperation("b", []byte("2")),
			storage.DeleteOperation("old"),
		}
	}
	tests := []struct {
		name    string
		opts    []Option
		want    []string
		crashed bool
	}{
		{"no crash", nil, []string{"a", "b", "last"}, false},
		{"before anything", []Option{CrashAfter(0)}, []string{"old"}, true},
		{"before a later write", []Option{CrashAfter(1)}, []string{"a", "b"}, true},
		{"inside the batch", []Option{CrashAfter(1), NonAtomic()}, []string{"a", "old"}, true},
		{"before the delete", []Option{CrashAfter(2), NonAtomic()}, []string{"a", "b", "old"}, true},
		{"after the batch", []Option{CrashAfter(3), NonAtomic()}, []string{"a", "b"}, true},
		{"applied, not acknowledged", []Option{CrashAfter(1), Unacknowledged()}, []string{"a", "b"}, true},
		{"applied in part, not acknowledged", []Option{CrashAfter(2), NonAtomic(), Unacknowledged()}, []string{"a", "b", "old"}, true},
		{"after the last write", []Option{CrashAfter(2)}, []string{"a", "b", "last"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			disk := NewDisk()
			require.NoError(t, disk.Client().Set(t.Context(), "old", nil))

			hooks := 0
			client := disk.Client(append(tt.opts, OnCrash(func() { hooks++; disk.Keys() }))...)
			err := client.Batch(t.Context(), batch()...)
			if err == nil {
				err = client.Set(t.Context(), "last", nil)
			}
			require.Equal(t, tt.want, disk.Keys())
			require.Equal(t, tt.crashed, client.Crashed())
			if !tt.crashed {
				require.NoError(t, err)
				require.Zero(t, hooks)
				return
			}
			require.ErrorIs(t, err, ErrCrashed)
			require.Equal(t, 1, hooks)

			_, err = client.Get(t.Context(), "a")
			require.ErrorIs(t, err, ErrCrashed)
			require.ErrorIs(t, client.Delete(t.Context(), "a"), ErrCrashed)
			require.Equal(t, 1, hooks)
			require.Equal(t, tt.want, disk.Keys())
			require.NoError(t, client.Close(t.Context()))

			next := disk.Client()
			require.NoError(t, next.Set(t.Context(), "next", []byte("life")))
			require.Equal(t, []byte("life"), disk.Value("next"))
		})
	}
}

func TestAcknowledgementTellsTheTwoCrashesApart(t *testing.T) {
	acknowledged := NewDisk().Client(CrashAfter(1))
	require.NoError(t, acknowledged.Set(t.Context(), "a", nil))
	require.ErrorIs(t, acknowledged.Set(t.Context(), "b", nil), ErrCrashed)

	disk := NewDisk()
	require.ErrorIs(t, disk.Client(CrashAfter(1), Unacknowledged()).Set(t.Context(), "a", nil), ErrCrashed)
	require.Equal(t, []string{"a"}, disk.Keys())
}

func TestWritesCountsWhatCanBeCrashedBetween(t *testing.T) {
	disk := NewDisk()
	ops := []*storage.Operation{
		storage.SetOperation("a", nil),
		storage.GetOperation("a"),
		storage.DeleteOperation("missing"),
	}
	require.NoError(t, disk.Client().Batch(t.Context(), ops...))
	require.Equal(t, 1, disk.Writes())
	require.NoError(t, disk.Client(NonAtomic()).Batch(t.Context(), ops...))
	require.Equal(t, 3, disk.Writes())
	_, err := disk.Client().Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, 3, disk.Writes())
	require.Zero(t, disk.Clone().Writes())
}

func TestReadsDoNotCountTowardsTheCrash(t *testing.T) {
	client := NewDisk().Client(CrashAfter(0))
	got, err := client.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Nil(t, got)
	require.False(t, client.Crashed())
}

func TestInjectedFaultsHitTheirKeyAndEnd(t *testing.T) {
	broken := errors.New("input/output error")
	disk := NewDisk()
	require.NoError(t, disk.Client().Set(t.Context(), "a", []byte("1")))
	client := disk.Client(FailGet("a", 1, broken), FailSet("b", -1, broken), FailDelete("", 1, broken))

	_, err := client.Get(t.Context(), "other")
	require.NoError(t, err)
	_, err = client.Get(t.Context(), "a")
	require.ErrorIs(t, err, broken)
	got, err := client.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, []byte("1"), got)

	for range 3 {
		require.ErrorIs(t, client.Set(t.Context(), "b", nil), broken)
	}
	require.NoError(t, client.Set(t.Context(), "c", nil))

	require.ErrorIs(t, client.Batch(t.Context(), storage.SetOperation("d", nil), storage.DeleteOperation("a")), broken)
	require.Equal(t, []string{"a", "c"}, disk.Keys(), "a refused batch leaves nothing behind")
	require.NoError(t, client.Delete(t.Context(), "a"))
}

func TestFullDiskTakesWhatDoesNotGrowIt(t *testing.T) {
	disk := NewDisk()
	client := disk.Client(MaxBytes(10))
	require.NoError(t, client.Set(t.Context(), "a", make([]byte, 9)))
	require.ErrorIs(t, client.Set(t.Context(), "b", nil), storage.ErrStorageFull)
	require.NoError(t, client.Set(t.Context(), "a", make([]byte, 8)))
	require.NoError(t, client.Batch(t.Context(), storage.DeleteOperation("a"), storage.SetOperation("b", make([]byte, 9))))
	require.Equal(t, []string{"b"}, disk.Keys())

	smaller := disk.Client(MaxBytes(5))
	require.NoError(t, smaller.Set(t.Context(), "b", make([]byte, 7)), "shrinking works above the limit too")
}

func TestFullDiskInsideANonAtomicBatch(t *testing.T) {
	disk := NewDisk()
	err := disk.Client(MaxBytes(3), NonAtomic()).Batch(t.Context(),
		storage.SetOperation("a", []byte("1")),
		storage.SetOperation("b", []byte("2")),
		storage.SetOperation("c", nil))
	require.ErrorIs(t, err, storage.ErrStorageFull)
	require.Equal(t, []string{"a"}, disk.Keys())
}

func TestFlipChangesTheStoredByteOnly(t *testing.T) {
	disk := NewDisk()
	require.NoError(t, disk.Client().Set(t.Context(), "a", []byte{0, 0, 0}))
	twin := disk.Clone()
	disk.Flip(t, "a", 1)
	disk.Flip(t, "a", -1)
	require.Equal(t, []byte{0, 1, 1}, disk.Value("a"))
	require.Equal(t, []byte{0, 0, 0}, twin.Value("a"))
}

func TestClosedClientRefusesEverything(t *testing.T) {
	client := NewDisk().Client()
	require.NoError(t, client.Close(t.Context()))
	require.NoError(t, client.Close(t.Context()))
	require.ErrorIs(t, client.Set(t.Context(), "a", nil), ErrClosed)
	_, err := client.Get(t.Context(), "a")
	require.ErrorIs(t, err, ErrClosed)
}

func TestValuesAreCopied(t *testing.T) {
	client := NewDisk().Client()
	value := []byte("abc")
	require.NoError(t, client.Set(t.Context(), "a", value))
	value[0] = 'X'
	got, err := client.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	got[0] = 'Y'
	require.Equal(t, "abc", string(client.disk.Value("a")))
}
