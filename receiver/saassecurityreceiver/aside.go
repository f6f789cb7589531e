// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"errors"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

// maxRemembered bounds the records that are remembered as delivered while others of the same reply are not; the oldest replies
// go first, and are then delivered anew.
const maxRemembered = 1 << 16

// asides is what is known of entries of which the next component does not take all. An entry is deleted as a whole, so until
// then the records that came through are remembered here.
type asides struct {
	mu    sync.Mutex
	tries map[uint64]int           // by entry
	parts map[string]*partlyPassed // by the uid of the first record
	order []*partlyPassed          // oldest first
	total int                      // records remembered
}

// partlyPassed is a reply, or a part of one, of which some records came through.
type partlyPassed struct {
	key         string
	done        map[string]struct{} // uids of the records that were accepted or are in the quarantine
	quarantined int
	counted     int  // events that the metrics count as delivered
	through     bool // nothing of it is left
}

func newAsides() *asides {
	return &asides{tries: map[uint64]int{}, parts: map[string]*partlyPassed{}}
}

// remaining returns logs without what came through before, and what is known of that.
func (a *asides) remaining(logs plog.Logs) (plog.Logs, partlyPassed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.parts[firstUID(logs)]
	if known == nil {
		return logs, partlyPassed{}
	}
	rest := plog.NewLogs()
	logs.CopyTo(rest)
	rest.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(func(lr plog.LogRecord) bool {
				_, done := known.done[uidOf(lr)]
				return done
			})
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	return rest, *known
}

// note remembers what of logs came through: all but left.
func (a *asides) note(logs, left plog.Logs, quarantined, counted int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := firstUID(logs)
	a.drop(key)
	if left.LogRecordCount() >= logs.LogRecordCount() {
		return
	}
	part := &partlyPassed{key: key, done: map[string]struct{}{}, quarantined: quarantined, counted: counted, through: left.LogRecordCount() == 0}
	for uid := range uidsOf(logs) {
		part.done[uid] = struct{}{}
	}
	for uid := range uidsOf(left) {
		delete(part.done, uid)
	}
	a.parts[key] = part
	a.order = append(a.order, part)
	a.total += len(part.done)
	for a.total > maxRemembered && len(a.order) > 1 {
		a.drop(a.order[0].key)
	}
}

// passed forgets what was remembered of logs: they are through.
func (a *asides) passed(logs plog.Logs) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop(firstUID(logs))
}

func (a *asides) drop(key string) {
	part := a.parts[key]
	if part == nil {
		return
	}
	delete(a.parts, key)
	a.total -= len(part.done)
	i := slices.Index(a.order, part)
	a.order = slices.Delete(a.order, i, i+1)
}

// wait is how long the entry is left alone, which was refused once more.
func (a *asides) wait(entry *spool.Entry) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tries[entry.Seq]++
	return delivery.Again(a.tries[entry.Seq])
}

// ended forgets an entry that is deleted.
func (a *asides) ended(entry *spool.Entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.tries, entry.Seq)
}

// giveBack returns an entry that was not delivered to the spool: at once, or after a while if others should get their turn.
func (e *engine) giveBack(entry *spool.Entry, err error) {
	if !errors.Is(err, delivery.ErrRefusedAlone) {
		e.spool.Return(entry)
		return
	}
	entry.Batch, entry.Raw = spool.Batch{}, nil // it is read anew
	time.AfterFunc(e.asides.wait(entry), func() { e.spool.Return(entry) })
}

func firstUID(logs plog.Logs) string {
	for uid := range uidsOf(logs) {
		return uid
	}
	return ""
}

func uidsOf(logs plog.Logs) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					if !yield(uidOf(lr)) {
						return
					}
				}
			}
		}
	}
}

func uidOf(lr plog.LogRecord) string {
	uid, _ := lr.Attributes().Get(attrUID)
	return uid.AsString()
}
