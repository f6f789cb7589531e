// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

// notifier tells that something in the watched directories has changed. One
// without a system behind it never does.
type notifier struct {
	system  *fsnotify.Watcher // nil where there are no notifications
	changed chan struct{}
	dirs    map[string]bool // that are watched
	drained sync.WaitGroup
	warning sync.Once
	set     *Settings
}

func newNotifier(open func() (*fsnotify.Watcher, error), set *Settings) *notifier {
	n := &notifier{changed: make(chan struct{}, 1), dirs: map[string]bool{}, set: set}
	system, err := open()
	if err != nil {
		n.warn(err)
		return n
	}
	n.system = system
	// All the time, not only between looks: with its channels full, the system
	// can hold the lock that watch waits for.
	n.drained.Go(n.drain)
	return n
}

func (n *notifier) drain() {
	for {
		select {
		case _, ok := <-n.system.Events:
			if !ok {
				return
			}
		case err, ok := <-n.system.Errors:
			if !ok {
				return
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				n.warn(err)
			}
		}
		select {
		case n.changed <- struct{}{}:
		default: // told already
		}
	}
}

// renew watches the same directories again, for others may be at their paths by
// now. What is looked at after that is either seen or notified.
func (n *notifier) renew() {
	for dir := range n.dirs {
		n.add(dir)
	}
}

// watch makes these the watched directories; of one that does not exist, the
// nearest one above. It reports whether there are new ones among them, in which
// something may have changed unnoticed until now.
func (n *notifier) watch(dirs map[string]bool) bool {
	if n.system == nil {
		return false
	}
	wanted := make(map[string]bool, len(dirs))
	for dir := range dirs {
		// Real paths, so that no directory is watched under two names.
		wanted[existing(dir)] = true
	}
	maps.DeleteFunc(n.dirs, func(dir string, _ bool) bool { return !wanted[dir] })
	for _, dir := range n.system.WatchList() {
		if !wanted[dir] {
			_ = n.system.Remove(dir) // fails where the directory went away by itself
		}
	}
	isNew := false
	for dir := range wanted {
		if !n.dirs[dir] && n.add(dir) {
			isNew = true
		}
	}
	return isNew
}

// add reports whether dir is watched now.
func (n *notifier) add(dir string) bool {
	err := n.system.Add(dir)
	if err != nil {
		delete(n.dirs, dir)
		if !isNotExist(err) {
			n.warn(fmt.Errorf("watching %s: %w", dir, err))
		}
		return false
	}
	n.dirs[dir] = true
	return true
}

func (n *notifier) warn(err error) {
	n.warning.Do(func() {
		n.set.Logger.Warn("The system does not notify of all changes to service keys; they are found by looking from time to time. "+
			"Where a limit of inotify is reached, raise fs.inotify.max_user_watches or fs.inotify.max_user_instances",
			zap.Stringer("every", n.set.Rescan), zap.Error(err))
	})
}

// close gives the watches back, and ends the goroutines behind them.
func (n *notifier) close() {
	if n.system != nil {
		_ = n.system.Close()
	}
	n.drained.Wait()
}
