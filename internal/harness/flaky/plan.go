// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"
)

const (
	// shortWait is what a short test may wait beside its work.
	shortWait = 10 * time.Second

	// batchWork is for how much work a test is repeated in one process.
	batchWork = 10 * time.Second
	batchMost = 50
)

// unit is one row of the table: a test, a package or the whole.
type unit struct {
	binary *binary // nil for the whole
	test   string  // "" for a package
	id     string  // what a result counts for
	want   int     // runs

	runs, failed int
	slowest      time.Duration // of one run, on the wall clock
	work         time.Duration // of one run, of processors
	took         time.Duration // of the last batch, on the wall clock
	message      string        // of the first failure
	busy         bool          // a worker has it
	long         bool
}

// plan has all units. Its methods may be called by several goroutines.
type plan struct {
	wider   int // units that are packages or the whole
	resumed int // runs
	all     []*binary
	short   time.Duration

	mu    sync.Mutex
	units []*unit
}

func newPlan(set *settings, binaries []*binary) *plan {
	p := &plan{all: binaries, short: set.short}
	whole := sha256.New()
	for _, b := range binaries {
		whole.Write([]byte(b.hash))
		for _, name := range b.tests {
			p.units = append(p.units, &unit{binary: b, test: name, id: b.hash + " " + name, want: set.tests})
		}
		if set.each > 0 {
			p.wider++
			p.units = append(p.units, &unit{binary: b, id: b.hash, want: set.each})
		}
	}
	if set.whole > 0 {
		p.wider++
		p.units = append(p.units, &unit{id: hex.EncodeToString(whole.Sum(nil)[:12]), want: set.whole})
	}
	return p
}

// resume counts what earlier runs found out about the same binaries.
func (p *plan) resume(earlier []result) {
	byID := map[string]*unit{}
	for _, u := range p.units {
		byID[u.id] = u
	}
	for _, r := range earlier {
		if u := byID[r.ID]; u != nil {
			u.count(r, p.short)
			p.resumed += r.Runs
		}
	}
}

// done counts a result and gives the unit back.
func (p *plan) done(u *unit, r result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u.busy = false
	u.count(r, p.short)
}

func (u *unit) count(r result, short time.Duration) {
	u.runs += r.Runs
	u.failed += r.Failed
	u.slowest = max(u.slowest, r.Slowest)
	u.message = cmp.Or(u.message, r.Message)
	u.took = r.Took
	if r.Runs > 0 {
		u.work = r.Work / time.Duration(r.Runs)
		u.long = u.test != "" && (u.work > short || r.Took/time.Duration(r.Runs) > u.work+shortWait)
	}
}

// next is the unit that lacks most, and how often to run it now; nil if there is none for the time that is left.
func (p *plan) next(left time.Duration) (*unit, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	open := slices.DeleteFunc(slices.Clone(p.units), func(u *unit) bool {
		return u.busy || u.finished() || (u.runs > 0 && u.took > left)
	})
	if len(open) == 0 {
		return nil, 0
	}
	u := slices.MinFunc(open, func(a, b *unit) int { return cmp.Compare(a.share(), b.share()) })
	u.busy = true
	times := u.batch()
	return u, times
}

func (u *unit) share() float64 { return float64(u.runs) / float64(u.want) }

func (u *unit) finished() bool { return u.runs >= u.want || u.long }

// batch is how often to run the unit in one process.
func (u *unit) batch() int {
	if u.test == "" || u.runs == 0 {
		return 1 // the first run of a test says how long it takes
	}
	n := int(batchWork / max(u.work, batchWork/batchMost))
	// A tenth of what is wanted: a plan that ends early has tried everything about as often.
	return min(n, max(1, u.want/10), u.want-u.runs)
}
