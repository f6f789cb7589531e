// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

func TestMarkStaysWithItsEntry(t *testing.T) {
	for _, plain := range []bool{false, true} {
		disk := crashtest.NewDisk()
		st := newStore(disk)
		st.Plain = plain
		s := st.spool(t)
		for _, b := range numbered(12, 1000) { // three segments
			commit(t, s, b)
		}
		want := Mark{Program: "v1", Begun: 2, Done: 7}
		first, err := s.Next(t.Context())
		require.NoError(t, err)
		require.Zero(t, first.Mark)
		require.False(t, first.Left)
		require.Nil(t, first.Raw)
		require.NoError(t, s.Note(t.Context(), first, want))
		s.Return(first)
		require.NoError(t, s.Note(t.Context(), first, Mark{Begun: 9}), "it is not handed out any more")
		require.NoError(t, s.Close(t.Context()))
		require.ErrorIs(t, s.Note(t.Context(), first, want), ErrClosed)

		st = newStore(disk)
		st.Plain = plain
		s = st.spool(t)
		require.Equal(t, 12, s.Stats().Entries, "a mark is no entry")
		for i := range 12 {
			e, err := s.Next(t.Context())
			require.NoError(t, err)
			require.NoError(t, e.Err)
			require.True(t, e.Left)
			if i == 0 {
				require.Equal(t, want, e.Mark)
				require.Equal(t, disk.Value("spool_0/"+entryKey(1)), e.Raw)
			} else {
				require.Zero(t, e.Mark)
				require.Nil(t, e.Raw)
			}
			require.NoError(t, s.Delete(t.Context(), e))
		}
		require.NotContains(t, strings.Join(disk.Keys(), " "), "/"+markPrefix, "it goes with the entry")
		require.Zero(t, s.Stats().Missing)
	}
}

func TestDamagedMarkIsNone(t *testing.T) {
	disk := crashtest.NewDisk()
	s := newStore(disk).spool(t)
	commit(t, s, "x")
	e, err := s.Next(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Note(t.Context(), e, Mark{Begun: 3}))
	require.NoError(t, s.Close(t.Context()))
	disk.Flip(t, "spool_0/"+markKey(1), 30)
	s = newStore(disk).spool(t)
	for s.Stats().Entries > 0 { // what is damaged comes out as such, and the entry as a whole
		e, err := s.Next(t.Context())
		require.NoError(t, err)
		require.Zero(t, e.Mark)
		require.Equal(t, e.Err == nil, string(e.Body) == "x")
		require.NoError(t, s.Delete(t.Context(), e))
	}
	require.Zero(t, s.Stats().Missing)
}

// A damaged key must not turn an entry into a mark.
func TestEntryUnderTheKeyOfAMarkIsDelivered(t *testing.T) {
	disk := crashtest.NewDisk()
	s := newStore(disk).spool(t)
	commit(t, s, "x")
	require.NoError(t, s.Close(t.Context()))
	client := disk.Client()
	require.NoError(t, client.Set(t.Context(), "spool_0/"+markKey(1), disk.Value("spool_0/"+entryKey(1))))
	require.NoError(t, client.Delete(t.Context(), "spool_0/"+entryKey(1)))
	s = newStore(disk).spool(t)
	require.Equal(t, 1, s.Stats().Entries)
	e, err := s.Next(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, e.Err, ErrCorrupt)
	require.Contains(t, string(e.Raw), "x")
}

func TestMarkWithoutAnEntryIsRemoved(t *testing.T) {
	disk := crashtest.NewDisk()
	s := newStore(disk).spool(t)
	commit(t, s, "x")
	commit(t, s, "y")
	e, err := s.Next(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Note(t.Context(), e, Mark{Begun: 1}))
	mark := disk.Value("spool_0/" + markKey(1))
	require.NoError(t, s.Delete(t.Context(), e))
	require.NoError(t, s.Close(t.Context()))
	require.NoError(t, disk.Client().Set(t.Context(), "spool_0/"+markKey(1), mark))
	s = newStore(disk).spool(t)
	require.Equal(t, []string{"y"}, drain(t, s))
	require.NotContains(t, strings.Join(disk.Keys(), " "), "/"+markPrefix)
}
