// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package keyfiles keeps the set of service keys that lie at given paths and
// globs, and follows it while keys appear, change and vanish.
//
// What follows from a state of the files:
//
//   - Keys of the same subaccount are one source, whatever files they are in.
//     Renaming and replacing files so never ends a source.
//   - What cannot be read is a problem of its path and of nothing else. The keys
//     last read there stay in use until the path can be read again, or is gone:
//     files are found half written, and directories while they are not mounted.
//   - Gone is only what the system says does not exist. A directory that can no
//     longer be listed takes no key away.
//
// Changes are noticed through the system's file notifications, and by looking
// at every file from time to time, since there are file systems without them.
package keyfiles

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

const (
	defaultRescan   = 30 * time.Second
	defaultDebounce = 200 * time.Millisecond
)

// Settings configure a Watcher.
type Settings struct {
	// Patterns are paths or globs, in the syntax of filepath.Match for each
	// element of the path. A name that begins with a dot is matched only by an
	// element that does so, too: Kubernetes keeps the files of a mounted Secret
	// a second time under such names. Each match is a file or a directory.
	Patterns []string
	// Load returns the keys at a path. Good keys may come beside an error about
	// others. It has to bound what it reads. Default: servicekey.Load.
	Load func(path string) ([]servicekey.Key, error)
	// Survey, if set, is told of all keys before Identity is asked about each,
	// for what one key says of another.
	Survey func([]servicekey.Key)
	// Identity names the subaccount of a key. It is needed.
	Identity func(servicekey.Key) string
	// Rescan is the pause between two looks at the contents of all files,
	// which find what was not notified. Default 30s.
	Rescan time.Duration
	// Debounce is the time from a notification until the files are looked at,
	// so that one look sees all of several changes. Default 200ms.
	Debounce time.Duration
	// Logger is told of problems when they begin, change and end. Default: none.
	Logger *zap.Logger
}

// Watcher keeps the set of keys. Its methods, other than Recheck, are for one
// goroutine at a time.
type Watcher struct {
	set      Settings
	notify   func() (*fsnotify.Watcher, error)
	carriers map[string]*carrier // by path
	problems map[string]error    // by path
	last     Snapshot            // as last returned or reported
	recheck  chan struct{}
}

// New returns a Watcher that has not looked at any file yet.
func New(set Settings) *Watcher {
	if set.Load == nil {
		set.Load = servicekey.Load
	}
	if set.Logger == nil {
		set.Logger = zap.NewNop()
	}
	set.Rescan = cmp.Or(max(set.Rescan, 0), defaultRescan)
	set.Debounce = cmp.Or(max(set.Debounce, 0), defaultDebounce)
	return &Watcher{set: set, notify: fsnotify.NewWatcher, recheck: make(chan struct{}, 1)}
}

// Scan looks once at all files and returns what there is. It does not fail:
// what is wrong is in Snapshot.Problems.
func (w *Watcher) Scan() Snapshot {
	w.read(expand(w.set.Patterns), true)
	w.last = w.snapshot()
	return w.last
}

// Recheck makes Run look at the contents of all files soon, as when a key was
// refused and may have been replaced, or when what onChange was waiting for has
// happened. It does not wait, and does nothing
// unless Run is under way. It may be called from any goroutine, and often.
func (w *Watcher) Recheck() {
	select {
	case w.recheck <- struct{}{}:
	default:
	}
}

// read looks at what was found and at what was known. With contents it does
// so by content, otherwise it trusts size and times.
func (w *Watcher) read(found *expansion, contents bool) {
	for path := range w.carriers {
		// That it was not found can also mean that a directory cannot be listed.
		if !found.paths[path] && !isGone(path) {
			found.paths[path] = true
		}
	}
	carriers := make(map[string]*carrier, len(found.paths))
	problems := found.problems
	for path := range found.paths {
		c := cmp.Or(w.carriers[path], &carrier{})
		c.read(path, &w.set, contents)
		if c.problem != nil && isGone(path) {
			continue // since it was found
		}
		carriers[path] = c
		if c.problem != nil {
			problems[path] = c.problem
		}
	}
	w.leaveOutOthers(found, carriers, problems)
	before := w.problems
	w.carriers, w.problems = carriers, problems
	w.logProblems(before)
}

// leaveOutOthers takes back the problems of bindings of other services, which
// are in a binding root by right. A pattern that leads to nothing else is one.
func (w *Watcher) leaveOutOthers(found *expansion, carriers map[string]*carrier, problems map[string]error) {
	isOther := func(path string) bool {
		c := carriers[path]
		return c != nil && len(c.keys) == 0 && errors.Is(c.problem, servicekey.ErrOtherService)
	}
	for _, pattern := range w.set.Patterns {
		for _, path := range found.matches[pattern] {
			if isOther(path) {
				delete(problems, path)
			}
		}
	}
	for _, pattern := range w.set.Patterns {
		matches := found.matches[pattern]
		if len(matches) > 0 && !slices.ContainsFunc(matches, func(path string) bool { return !isOther(path) }) {
			problems[pattern] = servicekey.ErrOtherService
		}
	}
}

// logProblems logs how the problems differ from those before.
func (w *Watcher) logProblems(before map[string]error) {
	for _, path := range slices.Sorted(maps.Keys(w.problems)) {
		if err := w.problems[path]; !sameError(before[path], err) {
			inUse := 0
			if c := w.carriers[path]; c != nil {
				inUse = len(c.keys)
			}
			w.set.Logger.Warn("A problem with service keys; those read before stay in use",
				zap.String("path", path), zap.Int("keys_in_use", inUse), zap.Error(err))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if w.problems[path] == nil {
			w.set.Logger.Info("A problem with a service key is over", zap.String("path", path))
		}
	}
}
