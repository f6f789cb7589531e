// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"context"
	"time"
)

// Run follows the files until ctx ends, and returns its error. It calls
// onChange with the set of keys soon after the beginning, and then when that, or
// the problems, have changed. Where onChange returns that it is not done with a
// set, it is called again with the next one, changed or not: after Rescan at the
// latest, or after Recheck. Run waits for onChange to return, and leaves no
// goroutine behind.
func (w *Watcher) Run(ctx context.Context, onChange func(Snapshot) (done bool)) error {
	notes := newNotifier(w.notify, &w.set)
	defer notes.close()
	rescan := time.NewTicker(w.set.Rescan)
	defer rescan.Stop()

	done := false            // with the last set of keys
	var due <-chan time.Time // of the next look; nil when none is called for
	look := func(contents bool) {
		due = nil
		notes.renew()
		found := expand(w.set.Patterns)
		// In directories not watched before, something may have appeared after
		// they were looked at and before they were watched.
		if notes.watch(found.dirs) {
			due = time.After(w.set.Debounce)
		}
		w.read(found, contents)
		if now := w.snapshot(); !done || !now.equal(w.last) {
			w.last = now
			done = onChange(now)
		}
	}

	look(true)
	contents := false // whether the look that is due has to be by content
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-rescan.C:
			look(true)
		case <-due:
			look(contents)
			contents = false
		case <-w.recheck:
			contents = true
			due = w.soon(due)
		case <-notes.changed:
			due = w.soon(due)
		}
	}
}

// soon returns when to look after something has changed: what is due stays so,
// that steady changes do not put it off.
func (w *Watcher) soon(due <-chan time.Time) <-chan time.Time {
	if due == nil {
		return time.After(w.set.Debounce)
	}
	return due
}
