// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

func TestReturnedEntryDoesNotHoldUpOthers(t *testing.T) {
	s := newStore(crashtest.NewDisk()).spool(t)
	for _, b := range numbered(20, 1000) {
		commit(t, s, b)
	}
	first, err := s.Next(t.Context())
	require.NoError(t, err)
	require.False(t, first.Again)
	s.Return(first)
	bodies := drain(t, s)
	require.Len(t, bodies, 20)
	require.Equal(t, string(first.Body), bodies[19])
}

func TestFailedWriteIsRepeatedUnderTheSameID(t *testing.T) {
	st := newStore(crashtest.NewDisk(), crashtest.FailSet("spool_0/"+entryKey(1), 1, errBroken))
	s := st.spool(t)
	r, err := s.Reserve(t.Context(), 5000)
	require.NoError(t, err)
	_, err = r.Commit(t.Context(), Batch{Body: []byte("x")})
	require.ErrorIs(t, err, errBroken)
	require.Zero(t, s.Stats().Entries)
	require.EqualValues(t, 5000, s.Stats().Reserved, "the reservation holds")
	planned := r.id
	id, err := r.Commit(t.Context(), Batch{Body: []byte("x")})
	require.NoError(t, err)
	require.Equal(t, planned, id)
	require.Equal(t, []string{"x"}, drain(t, s))
}

// A file that cannot grow has room again once its own entries are gone; the spool looks for such a one.
func TestFullDiskGivesEverySegmentATurn(t *testing.T) {
	disk := crashtest.NewDisk()
	st := newStore(disk)
	s := st.spool(t)
	for _, b := range numbered(10, 1000) { // two segments and a half
		commit(t, s, b)
	}
	require.Equal(t, 3, s.slots)
	for range 4 {
		e, err := s.Next(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Delete(t.Context(), e))
	}
	st.fail = func(name string) error {
		if name == clientName(3) {
			return storage.ErrStorageFull // no new file
		}
		return nil
	}
	full := true
	s.tail().client = &refusing{Client: s.tail().client, full: &full}
	r, err := s.Reserve(t.Context(), 5000)
	require.NoError(t, err)
	_, err = r.Commit(t.Context(), Batch{Body: []byte("x")})
	require.ErrorIs(t, err, storage.ErrStorageFull)
	_, err = r.Commit(t.Context(), Batch{Body: []byte("x")})
	require.NoError(t, err)
	require.Equal(t, 0, s.tail().slot)
	require.Len(t, drain(t, s), 7)
}

func TestFullDiskWithoutAnotherSegmentTriesAgain(t *testing.T) {
	st := newStore(crashtest.NewDisk())
	s := st.spool(t)
	st.fail = func(string) error { return storage.ErrStorageFull }
	full := true
	s.tail().client = &refusing{Client: s.tail().client, full: &full}
	r, err := s.Reserve(t.Context(), 5000)
	require.NoError(t, err)
	for range 3 {
		_, err = r.Commit(t.Context(), Batch{Body: []byte("x")})
		require.ErrorIs(t, err, storage.ErrStorageFull)
	}
	full = false
	_, err = r.Commit(t.Context(), Batch{Body: []byte("x")})
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, drain(t, s))
}

type refusing struct {
	storage.Client
	full *bool
}

func (r *refusing) Set(ctx context.Context, key string, value []byte) error {
	if *r.full {
		return storage.ErrStorageFull
	}
	return r.Client.Set(ctx, key, value)
}
