// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// without notifications, for different reasons.
var without = map[string]func() (*fsnotify.Watcher, error){
	"system that gives none": func() (*fsnotify.Watcher, error) {
		return nil, errors.New("too many open files")
	},
	"directories that cannot be watched": func() (*fsnotify.Watcher, error) {
		system, err := fsnotify.NewWatcher()
		if err == nil {
			err = system.Close()
		}
		return system, err
	},
}

func TestRunFindsChangesWithoutNotifications(t *testing.T) {
	for name, notify := range without {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, "a.json")
			write(t, path, secretKey(t, "A", "one"))
			setTime(t, path, time.Hour)
			virtualtime.Test(t, func(t *testing.T) {
				core, logs := observer.New(zapcore.DebugLevel)
				reports := make(chan Snapshot, 10)
				next := func() []string {
					synctest.Wait()
					select {
					case s := <-reports:
						return state(s, root)
					default:
						return nil
					}
				}
				w := New(Settings{Patterns: []string{filepath.Join(root, "*.json")}, Identity: identity, Logger: zap.New(core)})
				w.notify = notify
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- w.Run(ctx, func(s Snapshot) bool { reports <- s; return true }) }()
				require.Equal(t, []string{"A: one@a.json"}, next())

				// The same size and time: told apart by content.
				write(t, path, secretKey(t, "A", "two"))
				setTime(t, path, time.Hour)
				time.Sleep(defaultRescan - time.Second)
				require.Nil(t, next())
				time.Sleep(time.Second)
				require.Equal(t, []string{"A: two@a.json"}, next())
				time.Sleep(10 * defaultRescan)
				require.Nil(t, next())

				// A key that was refused does not wait so long, nor are many of them put off.
				write(t, path, secretKey(t, "A", "six"))
				setTime(t, path, time.Hour)
				for range 4 {
					w.Recheck()
					w.Recheck()
					require.Nil(t, next())
					time.Sleep(defaultDebounce / 4)
				}
				require.Equal(t, []string{"A: six@a.json"}, next())

				cancel()
				require.ErrorIs(t, <-ended, context.Canceled)
				require.Equal(t, 1, logs.Len())
				warning := logs.All()[0]
				require.Equal(t, zapcore.WarnLevel, warning.Level)
				require.Equal(t, "30s", warning.ContextMap()["every"])
				require.NotEmpty(t, warning.ContextMap()["error"])
			})
		})
	}
}

func TestRecheckWaitsForNobody(t *testing.T) {
	w := New(Settings{Identity: identity})
	w.Recheck()
	w.Recheck()
	require.Len(t, w.recheck, 1)
}

func TestNotifierTellsOfOverflowsAndWarnsOnceOfErrors(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	events, errs := make(chan fsnotify.Event), make(chan error)
	n := &notifier{
		system: &fsnotify.Watcher{Events: events, Errors: errs}, changed: make(chan struct{}, 1),
		set: &Settings{Logger: zap.New(core)},
	}
	n.drained.Go(n.drain)
	errs <- fsnotify.ErrEventOverflow
	<-n.changed
	require.Zero(t, logs.Len())
	for range 3 {
		errs <- errors.New("input/output error")
		<-n.changed
	}
	// Many events nobody waits for are told of once.
	for range 100 {
		events <- fsnotify.Event{Name: "/a", Op: fsnotify.Write}
	}
	close(events)
	n.drained.Wait()
	require.Len(t, n.changed, 1)
	require.Equal(t, 1, logs.Len())
}

func TestNotifierGivesUpWatchesThatAreNotWanted(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a", "file"), "")
	write(t, filepath.Join(root, "b", "file"), "")
	link(t, "a", filepath.Join(root, "link"))
	n := newNotifier(fsnotify.NewWatcher, &Settings{Logger: zap.NewNop()})
	defer n.close()
	paths := func(names ...string) map[string]bool {
		dirs := map[string]bool{}
		for _, name := range names {
			dirs[filepath.Join(root, name)] = true
		}
		return dirs
	}
	resolved, err := filepath.EvalSymlinks(root)
	require.NoError(t, err)

	require.True(t, n.watch(paths("a", "link", "b/none/at/all")))
	require.ElementsMatch(t, []string{filepath.Join(resolved, "a"), filepath.Join(resolved, "b")}, n.system.WatchList())
	require.False(t, n.watch(paths("link", "b")))
	require.False(t, n.watch(paths("b")))
	require.Equal(t, []string{filepath.Join(resolved, "b")}, n.system.WatchList())
	require.True(t, n.watch(paths("a", "b")))
	require.False(t, n.watch(nil))
	require.Empty(t, n.system.WatchList())
}

func TestNotifierRenewsTheWatchesOfDirectoriesThatWereReplaced(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	dir := filepath.Join(root, "dir")
	n := newNotifier(fsnotify.NewWatcher, &Settings{Logger: zap.NewNop()})
	defer n.close()
	remove := func() {
		t.Helper()
		require.NoError(t, os.RemoveAll(dir))
		for slices.Contains(n.system.WatchList(), dir) {
			<-n.changed
		}
	}

	require.NoError(t, os.Mkdir(dir, 0o755))
	require.True(t, n.watch(map[string]bool{dir: true}))
	remove()
	require.NoError(t, os.Mkdir(dir, 0o755))
	n.renew()
	require.Equal(t, []string{dir}, n.system.WatchList())
	require.False(t, n.watch(map[string]bool{dir: true}))

	// One that is not there while it is renewed is a new one afterwards.
	remove()
	n.renew()
	require.Empty(t, n.system.WatchList())
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.True(t, n.watch(map[string]bool{dir: true}))
	require.Equal(t, []string{dir}, n.system.WatchList())
}
