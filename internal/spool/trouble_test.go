// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
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
	st.FailOpen = func(name string) error {
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
	st.FailOpen = func(string) error { return storage.ErrStorageFull }
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

// The oldest segment, one in the middle, and all but the newest.
func TestUnreadableSegmentDoesNotHoldUpOthers(t *testing.T) {
	for _, bad := range [][]int{{1}, {3}, {1, 2, 3, 4, 5, 6}} {
		virtualtime.Test(t, func(t *testing.T) {
			disk := filled(t, numbered(30, 1000))
			st := newStore(disk)
			s := st.spool(t)
			broken := true
			st.FailOpen = func(name string) error {
				for _, slot := range bad {
					if broken && name == clientName(slot) {
						return errBroken
					}
				}
				return nil
			}
			got := 0
			next := func() error {
				e, err := s.Next(t.Context())
				if err == nil {
					got++
					err = s.Delete(t.Context(), e)
				}
				return err
			}
			for s.Stats().Entries > 4*len(bad) {
				require.NoError(t, next())
			}
			require.Equal(t, bad, s.Stats().Unreadable)
			require.Equal(t, 30-4*len(bad), got)
			require.ErrorIs(t, next(), errBroken, "nothing else is left")
			commit(t, s, "new")
			require.NoError(t, next(), "at once")
			require.LessOrEqual(t, st.Most(), 3)
			broken = false
			require.Len(t, drain(t, s), 4*len(bad))
			require.Empty(t, s.Stats().Unreadable)
			require.Zero(t, s.Stats().Lost)
		})
	}
}

func TestUnreadableSegmentIsTriedLessAndLessOften(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		st := newStore(filled(t, numbered(30, 1000)))
		s := st.spool(t)
		tries := 0
		st.FailOpen = func(name string) error {
			if name == clientName(3) {
				tries++
				return errBroken
			}
			return nil
		}
		until, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		for until.Err() == nil {
			if e, err := s.Next(until); err == nil {
				require.NoError(t, s.Delete(t.Context(), e))
			}
		}
		require.Equal(t, 4, s.Stats().Entries)
		require.Greater(t, tries, 15)
		require.Less(t, tries, 40)
	})
}

func TestUnreadableFreeSegmentIsPassedOver(t *testing.T) {
	disk := filled(t, numbered(30, 1000))
	s := newStore(disk).spool(t)
	drain(t, s)
	require.NoError(t, s.Close(t.Context()))
	for _, tt := range []struct {
		bad   []string
		slots int
	}{
		{[]string{"spool_0"}, 8},
		{[]string{"spool_0", "spool_1", "spool_2", "spool_3", "spool_4", "spool_5", "spool_6"}, 10},
	} {
		st := newStore(disk.Clone())
		s = st.spool(t)
		require.Equal(t, 7, s.tail().slot)
		st.FailOpen = func(name string) error {
			if slices.Contains(tt.bad, name) {
				return errBroken
			}
			return nil
		}
		for range 10 {
			commit(t, s, numbered(1, 1000)[0])
		}
		require.Equal(t, tt.slots, s.slots)
		require.Len(t, drain(t, s), 10)
	}
	st := newStore(disk)
	s = st.spool(t)
	st.FailOpen = func(string) error { return errBroken }
	for range 4 {
		commit(t, s, numbered(1, 1000)[0])
	}
	_, err := tryCommit(t.Context(), s, "x")
	require.ErrorIs(t, err, errBroken, "there is no other")
	st.FailOpen = nil
	commit(t, s, "x")
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

// slow takes its time for a read that fails.
type slow struct {
	storage.Client
	takes time.Duration
}

func (s *slow) Batch(context.Context, ...*storage.Operation) error {
	time.Sleep(s.takes)
	return errBroken
}

// While a segment cannot be read, time passes in the storage, and when it is due again there are entries that wait in it and
// others that were returned to it.
func TestReturnedEntriesDoNotReplaceThoseThatWait(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		st := newStore(crashtest.NewDisk())
		s := st.spool(t)
		bodies := numbered(8, 1000) // two segments
		for _, b := range bodies {
			commit(t, s, b)
		}
		first, err := s.Next(t.Context())
		require.NoError(t, err)
		s.Return(first)
		s.mu.Lock()
		for _, e := range s.ahead { // as if less had been read ahead
			delete(e.segment.busy, e.ref.seq)
			e.segment.queue = append(e.segment.queue, e.ref)
		}
		s.ahead = nil
		oldest, newest := s.segments[0], s.segments[1]
		s.troubled(oldest, errBroken)
		working := newest.client
		newest.client = &slow{working, 2 * minTrouble}
		s.mu.Unlock()

		again, err := s.Next(t.Context())
		require.NoError(t, err)
		s.Return(again)
		s.mu.Lock()
		newest.client = working
		s.mu.Unlock()
		require.ElementsMatch(t, bodies, drain(t, s))
	})
}
