// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func TestBatchComesOutAsItWentIn(t *testing.T) {
	bodies := map[string]string{
		"json": `{"events":[{"log_type":"incident","user":"größe"}]}`, "empty": "", "newlines": "a\n\nb\n",
		"nul": "a\x00b", "not text": "\xff\xfe\x00\x80", "large": strings.Repeat("x", 100_000),
	}
	for _, key := range []string{"", strings.Repeat("ab", 32)} {
		for name, body := range bodies {
			t.Run(name+" key="+key[:min(2, len(key))], func(t *testing.T) {
				disk := crashtest.NewDisk()
				withKey := func(set *Settings) {
					if key != "" {
						set.Keys = ring(t, key)
					}
				}
				want := Batch{
					ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC), Truncated: name == "empty",
					Meta: map[string]string{"content_type": "application/json"}, Body: []byte(body),
				}
				s := newStore(disk).spool(t, withKey)
				r, err := s.Reserve(t.Context(), 200_000)
				require.NoError(t, err)
				id, err := r.Commit(t.Context(), want)
				require.NoError(t, err)
				require.NoError(t, s.Close(t.Context()))

				for _, stored := range disk.Keys() {
					value := string(disk.Value(stored))
					require.NotContains(t, value, "\x00", "storages of text take no NUL")
					require.Equal(t, value, strings.ToValidUTF8(value, "?"), "storages of text take UTF-8 only")
					if key != "" && len(body) > 2 {
						require.NotContains(t, value, body, "sealed")
					}
				}

				s = newStore(disk).spool(t, withKey)
				e, err := s.Next(t.Context())
				require.NoError(t, err)
				require.NoError(t, e.Err)
				require.Equal(t, id, e.ID)
				require.Equal(t, string(want.Body), string(e.Body))
				e.Body = want.Body
				require.Equal(t, want, e.Batch)
			})
		}
	}
}

func TestEntriesComeOutInOrderAndStayUntilDeleted(t *testing.T) {
	disk := crashtest.NewDisk()
	bodies := numbered(50, 300)
	s := newStore(disk).spool(t)
	ids := map[string]bool{}
	for _, b := range bodies {
		ids[commit(t, s, b)] = true
	}
	require.Len(t, ids, len(bodies))
	for range 20 {
		_, err := s.Next(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, len(bodies), s.Stats().Entries, "handed out is not delivered")
	require.NoError(t, s.Close(t.Context()))

	s = newStore(disk).spool(t)
	require.Equal(t, len(bodies), s.Stats().Entries)
	require.Equal(t, bodies, drain(t, s))
	require.NoError(t, s.Close(t.Context()))

	s = newStore(disk).spool(t)
	require.Zero(t, s.Stats().Entries)
	require.Zero(t, s.Stats().Bytes)
	require.True(t, s.Stats().Oldest.IsZero())
}

func TestNextWaitsForACommit(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		s := newStore(crashtest.NewDisk()).spool(t)
		got := make(chan string)
		go func() {
			e, err := s.Next(t.Context())
			if err != nil {
				got <- err.Error()
				return
			}
			got <- string(e.Body)
		}()
		synctest.Wait()
		commit(t, s, "late")
		require.Equal(t, "late", <-got)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Next(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestReservationsAndEntriesShareTheLimit(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		s := newStore(crashtest.NewDisk()).spool(t, func(set *Settings) { set.MaxBytes = 10_000 })
		first, err := s.Reserve(t.Context(), 6000)
		require.NoError(t, err)
		_, err = s.Reserve(t.Context(), 6000)
		require.ErrorIs(t, err, ErrFull)
		require.EqualValues(t, 6000, s.Stats().Reserved)

		_, err = first.Commit(t.Context(), Batch{Body: make([]byte, 3000)}) // binary: 4000 in storage
		require.NoError(t, err)
		first.Release()
		require.Zero(t, s.Stats().Reserved)
		require.Greater(t, s.Stats().Bytes, int64(4000))

		second, err := s.Reserve(t.Context(), 5000)
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() { second.Release(); second.Release() })
		require.NoError(t, s.WaitForSpace(t.Context(), 5000))
		wg.Wait()

		_, err = s.Reserve(t.Context(), 6000)
		require.ErrorIs(t, err, ErrFull)
		freed := make(chan error)
		go func() { freed <- s.WaitForSpace(t.Context(), 6000) }()
		synctest.Wait()
		require.Len(t, drain(t, s), 1)
		require.NoError(t, <-freed)
		_, err = s.Reserve(t.Context(), 10_000)
		require.NoError(t, err)
	})
}

func TestBacklogKeepsFewClientsOpen(t *testing.T) {
	disk := crashtest.NewDisk()
	st := newStore(disk)
	s := st.spool(t)
	bodies := numbered(200, 1000)
	e := make([]*Entry, 0, 1)
	for i, b := range bodies {
		commit(t, s, b)
		if i == 0 { // a delivery that hangs while the backlog grows
			first, err := s.Next(t.Context())
			require.NoError(t, err)
			e = append(e, first)
		}
	}
	require.NoError(t, s.Delete(t.Context(), e[0]))
	require.Equal(t, bodies[1:], drain(t, s))
	require.LessOrEqual(t, st.Most(), 3, "one written, one read, one changing")
	require.Greater(t, s.slots, 30)
	require.LessOrEqual(t, st.Opened(), 2*s.slots, "once to write and once to read")

	// The emptied segments are used again.
	for _, b := range bodies {
		commit(t, s, b)
	}
	require.Equal(t, bodies, drain(t, s))
	require.Less(t, s.slots, 60)
}

func TestSteadyFlowStaysInOneSegment(t *testing.T) {
	disk := crashtest.NewDisk()
	s := newStore(disk).spool(t)
	for range 3 * seqBlock {
		commit(t, s, "x")
		drain(t, s)
	}
	require.Equal(t, 1, s.slots)
	// Per entry one write and one deletion; beyond these only the head, once a block.
	require.LessOrEqual(t, disk.Writes(), 2*3*seqBlock+8)
	require.GreaterOrEqual(t, s.tail().head.First, uint64(2*seqBlock), "what a scan must look at does not grow")
}

func TestReadersAndDeliverersWorkAtOnce(t *testing.T) {
	s := newStore(crashtest.NewDisk()).spool(t)
	const writers, each = 8, 40
	ctx := t.Context()
	var wg sync.WaitGroup
	errs := make(chan error, writers*each)
	for range writers {
		wg.Go(func() {
			for range each {
				_, err := tryCommit(ctx, s, strings.Repeat("x", 500))
				errs <- err
			}
		})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	reading, stop := context.WithCancel(ctx)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				e, err := s.Next(reading)
				if err != nil {
					return
				}
				mu.Lock()
				seen[e.ID]++
				mu.Unlock()
				if err := s.Delete(ctx, e); err != nil {
					errs <- err
				}
			}
		})
	}
	wg.Wait()
	assert.Eventually(t, func() bool { return s.Stats().Entries == 0 }, 5*time.Minute, time.Millisecond)
	stop()
	readers.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, seen, writers*each)
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
}

func TestClosedSpoolRefuses(t *testing.T) {
	s := newStore(crashtest.NewDisk()).spool(t)
	commit(t, s, "x")
	e, err := s.Next(t.Context())
	require.NoError(t, err)
	r, err := s.Reserve(t.Context(), 100)
	require.NoError(t, err)
	require.NoError(t, s.Close(t.Context()))

	_, err = s.Next(t.Context())
	require.ErrorIs(t, err, ErrClosed)
	_, err = s.Reserve(t.Context(), 1)
	require.ErrorIs(t, err, ErrClosed)
	_, err = r.Commit(t.Context(), Batch{})
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, s.WaitForSpace(t.Context(), 1), ErrClosed)
	require.ErrorIs(t, s.Delete(t.Context(), e), ErrClosed)
	s.Return(e)
}
