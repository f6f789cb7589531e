// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

// history is what the world outside the process knows, over all of its lives.
type history struct {
	committed map[string]string // bodies by identifier, of commits that returned nil
	attempted map[string]bool   // bodies of all commits
	delivered map[string]int    // by body
	deleted   map[string]bool   // bodies whose deletion returned nil
}

func newHistory() *history {
	return &history{
		committed: map[string]string{}, attempted: map[string]bool{},
		delivered: map[string]int{}, deleted: map[string]bool{},
	}
}

// deliver takes up to n entries out of the spool, and fails if one is not what it must be.
func (h *history) deliver(ctx context.Context, s *Spool, n int) error {
	for ; n > 0 && s.Stats().Entries > 0; n-- {
		e, err := s.Next(ctx)
		if err != nil {
			return err
		}
		body := string(e.Body)
		switch known, ok := h.committed[e.ID]; {
		case e.Err != nil:
			return fmt.Errorf("a crash damaged an entry: %w", e.Err)
		case ok && known != body:
			return fmt.Errorf("identifier of %q came with %q", known, body)
		case !h.attempted[body]:
			return fmt.Errorf("invented %q", body)
		case h.deleted[body]:
			return fmt.Errorf("%q came back after it was deleted", body)
		}
		h.delivered[body]++
		if err := s.Delete(ctx, e); err != nil {
			return err
		}
		h.deleted[body] = true
	}
	return nil
}

// live is one life of the process: it finds what the last one left, takes in three batches for each it delivers until
// there is a backlog over several segments, and then delivers the most of it.
func (h *history) live(ctx context.Context, st *store, name string) (err error) {
	set := Settings{
		Root: &view{st, "root"}, OpenClient: st.OpenClient, MaxBytes: 1 << 20, SegmentBytes: 400, Logger: zap.NewNop(),
	}
	s, err := Open(ctx, set)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	for i := range 9 {
		body := fmt.Sprintf("%s-%d", name, i)
		h.attempted[body] = true
		id, err := tryCommit(ctx, s, body)
		if err != nil {
			return err
		}
		h.committed[id] = body
		if i%3 == 2 {
			if err := h.deliver(ctx, s, 1); err != nil {
				return err
			}
		}
	}
	return h.deliver(ctx, s, 4)
}

// settle is the last life: nothing crashes any more, and all that was committed has to come.
func (h *history) settle(t *testing.T, st *store, when string) {
	t.Helper()
	set := st.settings(t)
	set.SegmentBytes, set.Logger = 400, zap.NewNop()
	s, err := Open(t.Context(), set)
	require.NoError(t, err, when)
	require.NoError(t, h.deliver(t.Context(), s, 1000), when)
	require.Zero(t, s.Stats().Lost, when)
	require.NoError(t, s.Close(t.Context()), when)
	for _, body := range h.committed {
		require.Contains(t, h.delivered, body, when)
		require.LessOrEqual(t, h.delivered[body], 3, when) // once a life at most
	}
}

func TestNoCrashLosesACommittedBatch(t *testing.T) {
	for _, plain := range []bool{false, true} {
		// No batch is ever written, so it does not matter whether the storage would write one as a whole.
		for _, opts := range [][]crashtest.Option{nil, {crashtest.Unacknowledged()}} {
			t.Run(fmt.Sprintf("plain=%t unacknowledged=%t", plain, len(opts) > 0), func(t *testing.T) {
				t.Parallel()
				crashPairs(t, plain, opts)
			})
		}
	}
}

// crashPairs kills the process after every write k1 of its first life, and then after every write k2 of the second.
func crashPairs(t *testing.T, plain bool, opts []crashtest.Option) {
	t.Helper()
	began := time.Now()
	pairs := 0
	for k1 := 0; ; k1++ {
		disk, first := crashtest.NewDisk(), newHistory()
		st := newStore(disk, append(slices.Clip(opts), crashtest.CrashAfter(k1))...)
		st.plain = plain
		err := first.live(t.Context(), st, "a")
		if !st.client.Crashed() {
			require.NoError(t, err)
			require.Greater(t, k1, 20, "the test writes too little to be worth something")
			break
		}
		if err != nil {
			require.ErrorIs(t, err, crashtest.ErrCrashed)
		}
		for k2 := 0; ; k2++ {
			pairs++
			again, h := disk.Clone(), first.clone()
			st := newStore(again, append(slices.Clip(opts), crashtest.CrashAfter(k2))...)
			st.plain = plain
			err := h.live(t.Context(), st, "b")
			crashed := st.client.Crashed()
			if err != nil { // giving up an emptied segment may fail without an error
				require.ErrorIs(t, err, crashtest.ErrCrashed, "%d/%d", k1, k2)
			}
			last := newStore(again)
			last.plain = plain
			h.settle(t, last, fmt.Sprintf("crash after write %d, then after write %d", k1, k2))
			if !crashed {
				break
			}
		}
	}
	t.Logf("%d pairs of crashes in %s", pairs, time.Since(began).Round(time.Millisecond))
}

func (h *history) clone() *history {
	return &history{
		committed: maps.Clone(h.committed), attempted: maps.Clone(h.attempted),
		delivered: maps.Clone(h.delivered), deleted: maps.Clone(h.deleted),
	}
}
