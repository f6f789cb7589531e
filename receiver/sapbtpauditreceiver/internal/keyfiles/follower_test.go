// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// patience is how long a notification may take on a busy machine.
const patience = 5 * time.Minute

// follower runs a Watcher that hears of changes by notification alone.
type follower struct {
	root    string
	reports chan Snapshot
	logs    *observer.ObservedLogs
	watcher *Watcher
	busy    atomic.Bool // not done with what is reported
	kept    string      // the source that has to be in each report; empty for none
}

func follow(t *testing.T, root string, patterns ...string) *follower {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	f := &follower{root: root, reports: make(chan Snapshot, 1000), logs: logs}
	f.watcher = New(Settings{
		Identity: identity, Rescan: time.Hour, Debounce: time.Millisecond, Logger: zap.New(core),
	})
	for _, pattern := range patterns {
		f.watcher.set.Patterns = append(f.watcher.set.Patterns, filepath.Join(root, pattern))
	}
	f.run(t)
	return f
}

func (f *follower) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- f.watcher.Run(ctx, func(s Snapshot) bool {
			done := !f.busy.Load() // as of the report: the test goes on as soon as it has it
			f.reports <- s
			return done
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

// await waits for the report of a state, past those of states on the way there.
func (f *follower) await(t *testing.T, want ...string) {
	t.Helper()
	timeout := time.After(patience)
	var got []string
	for {
		select {
		case s := <-f.reports:
			got = state(s, f.root)
			isKept := func(line string) bool { return strings.HasPrefix(line, f.kept) }
			require.True(t, f.kept == "" || slices.ContainsFunc(got, isKept), "%s vanished: %s", f.kept, got)
			if slices.Equal(got, want) {
				return
			}
		case <-timeout:
			require.Equal(t, want, got, "the last report")
			require.Fail(t, "nothing was reported", "want %s", want)
		}
	}
}

// next waits for the next report, whatever it is.
func (f *follower) next(t *testing.T) []string {
	t.Helper()
	select {
	case s := <-f.reports:
		return state(s, f.root)
	case <-time.After(patience):
		require.Fail(t, "nothing was reported")
		return nil
	}
}
