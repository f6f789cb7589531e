// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Places at which a process can kill itself.
const (
	anyWrite   = "write"      // to the storage, whatever it is
	intent     = "intent"     // how many reads may be open
	space      = "space"      // where in the spool the next entries go
	entry      = "entry"      // a reply
	removal    = "removal"    // of entries that were delivered
	quarantine = "quarantine" // of a refused record
	checkpoint = "checkpoint" // of sap_btp_audit
	open       = "open"       // of a file of the storage
	deliver    = "deliver"    // the sink writes
	alarm      = "alarm"      // an error is logged
	finish     = "finish"     // everything is done
)

// Moments of a place.
const (
	before = "before"
	during = "during"
	after  = "after"
)

// point is where a process kills itself.
type point struct {
	Place    string  `json:"place"`
	Moment   string  `json:"moment"`
	Nth      int     `json:"nth"`                // 0 is the first time
	Part     float64 `json:"part,omitempty"`     // how far into it, as a share of what it took the last time
	Stopping bool    `json:"stopping,omitempty"` // counts only once the process is told to stop
}

// points are all the places that a process passes.
type points struct {
	kill     *point
	stopping atomic.Bool

	mu     sync.Mutex
	passed int
	took   time.Duration
}

// around does something at a place, and kills the process there if this is the point.
func (p *points) around(place string, do func() error) error {
	if !p.here(place) {
		start := time.Now()
		err := do()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.took = time.Since(start)
		return err
	}
	switch p.kill.Moment {
	case before:
		die()
	case during:
		time.AfterFunc(time.Duration(p.kill.Part*float64(p.took)), die)
	}
	_ = do()
	die()
	return nil
}

// here tells whether this is the point, and counts.
func (p *points) here(place string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kill == nil || (p.kill.Stopping && !p.stopping.Load()) {
		return false
	}
	switch p.kill.Place {
	case place:
	case anyWrite:
		if place == open || place == deliver || place == alarm || place == finish {
			return false
		}
	default:
		return false
	}
	p.passed++
	return p.passed == p.kill.Nth+1
}

// die is kill -9: nothing is cleaned up, and nothing that comes after it happens.
func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {}
}
