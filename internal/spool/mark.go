// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

// markPrefix is that of the keys under which the marks of entries are stored, beside these.
const markPrefix = "m"

// maxMark is more than a mark takes. What is larger is none, whatever its key says.
const maxMark = 512

// Mark is what the caller notes beside an entry while it works on it. It is for work that may end with the process, or in the
// middle: most entries never get one.
type Mark struct {
	// Program is which program noted it. What another one began says nothing about this one.
	Program string `json:"program,omitempty"`
	// Begun counts how often in a row work on the entry was begun and not ended.
	Begun int `json:"begun,omitempty"`
	// Done is how many of the entry's parts need not be done again.
	Done int `json:"done,omitempty"`
}

func markKey(seq uint64) string { return markPrefix + strings.TrimPrefix(entryKey(seq), entryPrefix) }

// isMark tells a mark from an entry whose key was damaged.
func isMark(key string, value []byte) bool {
	digits, ok := strings.CutPrefix(key, markPrefix)
	seq, err := strconv.ParseUint(digits, 16, 64)
	if !ok || err != nil || markKey(seq) != key || len(value) > maxMark {
		return false
	}
	var m Mark
	return durable.Open(value, manifestVersion, &m) == nil
}

// Note stores a mark beside an entry that was handed out. It does nothing for one that was deleted or returned since.
func (s *Spool) Note(ctx context.Context, e *Entry, m Mark) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	r, ok := e.segment.busy[e.ref.seq]
	if !ok || r.stray != "" {
		return nil
	}
	raw, err := durable.Seal(manifestVersion, m)
	if err != nil {
		return err
	}
	r.marked = true // also if the write fails: nobody knows whether it did
	e.segment.busy[e.ref.seq] = r
	if err := e.segment.client.Set(ctx, markKey(r.seq), raw); err != nil {
		return fmt.Errorf("noting the progress of an entry in segment %d of the spool: %w", e.segment.slot, err)
	}
	return nil
}

// markOf reads the mark that stands beside an entry. A damaged one is none: the work begins anew, and repeats at most.
func markOf(op *storage.Operation) (m Mark, found bool) {
	if op.Value == nil {
		return Mark{}, false
	}
	if durable.Open(op.Value, manifestVersion, &m) != nil {
		return Mark{}, true
	}
	return m, true
}

// sweep removes the marks whose entries are gone, which a deletion that was cut short can leave. They do no harm.
func (seg *segment) sweep(ctx context.Context, marks []string) {
	entries := make(map[string]bool, len(seg.queue))
	for _, r := range seg.queue {
		entries[markKey(r.seq)] = true
	}
	for _, key := range marks {
		if !entries[key] {
			_ = seg.client.Delete(ctx, key)
		}
	}
}
