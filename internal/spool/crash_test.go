// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

// history is what the world outside the process knows, over all of its lives.
type history struct {
	plan      plan
	committed map[string]string // bodies by identifier, of commits that returned nil
	attempted map[string]bool   // bodies of all commits
	delivered map[string]int    // by body
	deleted   map[string]bool   // bodies whose deletion returned nil
}

// plan of a life.
type plan struct {
	segmentBytes     int64
	commits, deliver int // so many at the end
}

// small lives fill several segments.
var small = plan{segmentBytes: 400, commits: 9, deliver: 4}

// long lives need more sequence numbers in their one segment than its head reserves at once.
var long = plan{segmentBytes: 1 << 20, commits: seqBlock + 12, deliver: seqBlock}

func newHistory(p plan) *history {
	return &history{
		plan:      p,
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
		Root: st.Uncounted("root"), OpenClient: st.OpenClient, MaxBytes: 1 << 20, SegmentBytes: h.plan.segmentBytes, Logger: zap.NewNop(),
	}
	s, err := Open(ctx, set)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	for i := range h.plan.commits {
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
	return h.deliver(ctx, s, h.plan.deliver)
}

// settle is the last life: nothing crashes any more, and all that was committed has to come.
func (h *history) settle(t *testing.T, st *store, when string) {
	t.Helper()
	set := st.settings(t)
	set.SegmentBytes, set.Logger = h.plan.segmentBytes, zap.NewNop()
	s, err := Open(t.Context(), set)
	require.NoError(t, err, when)
	require.NoError(t, h.deliver(t.Context(), s, 1000), when)
	require.Zero(t, s.Stats().Lost, when)
	require.Zero(t, s.Stats().Missing, when)
	require.Zero(t, s.Stats().Repaired, when)
	require.NoError(t, s.Close(t.Context()), when)
	for _, body := range h.committed {
		require.Contains(t, h.delivered, body, when)
		require.LessOrEqual(t, h.delivered[body], 3, when) // once a life at most
	}
}

var crashes = map[string][]crashtest.Option{
	"before a write":                       nil,
	"before its acknowledgement":           {crashtest.Unacknowledged()},
	"after a part of a batch":              {crashtest.NonAtomic()},
	"before the acknowledgement of a part": {crashtest.NonAtomic(), crashtest.Unacknowledged()},
}

func TestNoCrashLosesACommittedBatch(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for name, opts := range crashes {
			if plain != strings.Contains(name, "part") { // file_storage can do both, and simple storages neither
				continue
			}
			t.Run(fmt.Sprintf("plain=%t %s", plain, name), func(t *testing.T) {
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
		disk, first := crashtest.NewDisk(), newHistory(small)
		st := newStore(disk, append(slices.Clip(opts), crashtest.CrashAfter(k1))...)
		st.Plain = plain
		err := first.live(t.Context(), st, "a")
		if !st.Process.Crashed() {
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
			st.Plain = plain
			err := h.live(t.Context(), st, "b")
			crashed := st.Process.Crashed()
			if err != nil { // giving up an emptied segment may fail without an error
				require.ErrorIs(t, err, crashtest.ErrCrashed, "%d/%d", k1, k2)
			}
			last := newStore(again)
			last.Plain = plain
			h.settle(t, last, fmt.Sprintf("crash after write %d, then after write %d", k1, k2))
			if !crashed {
				break
			}
		}
	}
	t.Logf("%d pairs of crashes in %s", pairs, time.Since(began).Round(time.Millisecond))
}

// The head of a segment is renewed while entries of the block before still wait, and the process dies at each write of it.
func TestNoCrashLosesABatchWhenTheHeadIsRenewed(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for name, opts := range crashes {
			t.Run(fmt.Sprintf("plain=%t %s", plain, name), func(t *testing.T) {
				t.Parallel()
				renewed := 0
				for k := 0; ; {
					disk, h := crashtest.NewDisk(), newHistory(long)
					st := newStore(disk, append(slices.Clip(opts), crashtest.CrashAfter(k))...)
					st.Plain = plain
					err := h.live(t.Context(), st, "a")
					if !st.Process.Crashed() || len(h.committed) > seqBlock+4 {
						break
					}
					require.ErrorIs(t, err, crashtest.ErrCrashed)
					if len(h.committed) == seqBlock {
						renewed++
					}
					// A commit takes a write at least; only those around the renewal are of interest here.
					k += max(1, seqBlock-4-len(h.committed))
					last := newStore(disk)
					last.Plain = plain
					h.settle(t, last, fmt.Sprintf("crash after write %d", k))
				}
				require.GreaterOrEqual(t, renewed, 2, "crashes between the last number of a block and the first of the next")
			})
		}
	}
}

func (h *history) clone() *history {
	return &history{
		plan:      h.plan,
		committed: maps.Clone(h.committed), attempted: maps.Clone(h.attempted),
		delivered: maps.Clone(h.delivered), deleted: maps.Clone(h.deleted),
	}
}
