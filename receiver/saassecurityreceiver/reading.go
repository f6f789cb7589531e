// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

const (
	readingKey     = "reading"
	readingVersion = 1

	// noteInterval is how often the record is renewed while reading goes on, so that a crash does not look like a long gap.
	noteInterval = time.Minute
)

// readingRecord is what the next start has to know of the reads of this one.
type readingRecord struct {
	// Open is an upper bound of the reads that are open. It is written before they are sent.
	Open int `json:"open"`
	progress
}

// progress says how far reading has come. Without it a restart would make a backlog look young.
type progress struct {
	// ReadAt is when a read was last answered.
	ReadAt time.Time `json:"read_at,omitzero"`
	// CaughtUpAt is when a read last showed that little or nothing was waiting, or when the first run began.
	CaughtUpAt time.Time `json:"caught_up_at,omitzero"`
	// Announced is the end of the last gap that was announced.
	Announced time.Time `json:"announced,omitzero"`
	// Forgotten means that a damaged record has cost all this, and that the gap this may hide was not announced yet.
	Forgotten bool `json:"forgotten,omitempty"`
}

// readingLog keeps the record in storage. It is written when reading begins and ends and when more readers are allowed, never
// for a single read.
type readingLog struct {
	client storage.Client

	mu      sync.Mutex
	saved   readingRecord
	savedAt time.Time
	now     progress
}

// openReadingLog returns the log and how many reads the last run may have left open. A damaged record says nothing about them,
// so it counts for as many as any configuration allows.
func openReadingLog(ctx context.Context, client storage.Client, now time.Time) (*readingLog, int, error) {
	l := &readingLog{client: client}
	err := durable.Load(ctx, client, readingKey, readingVersion, &l.saved)
	switch {
	case errors.Is(err, durable.ErrCorrupt):
		l.saved = readingRecord{Open: maxReaders, progress: progress{Forgotten: true}}
	case err != nil && !errors.Is(err, durable.ErrAbsent):
		return nil, 0, err
	}
	l.now = l.saved.before(now)
	if l.now.CaughtUpAt.IsZero() {
		l.now.CaughtUpAt = l.now.ReadAt // a record of an older release
	}
	if l.now.CaughtUpAt.IsZero() {
		l.now.CaughtUpAt = now
	}
	return l, l.saved.Open, nil
}

// forget notes that the storage was emptied while the spool is still there, unless the record was found all the same. It is like
// a damaged record: it returns how many reads the last run may have left open.
func (l *readingLog) forget(ctx context.Context) (open int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.saved != (readingRecord{}) {
		return l.saved.Open, nil
	}
	l.now.Forgotten = true
	return maxReaders, l.save(ctx, maxReaders)
}

// answered notes that a read was answered, and whether it showed that little or nothing is waiting, in memory.
func (l *readingLog) answered(at time.Time, caughtUp bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now.ReadAt.IsZero() {
		l.now.Announced = at.Add(-expiry) // nobody knows whether there were events before
	}
	l.now.ReadAt = later(l.now.ReadAt, at)
	if caughtUp {
		l.now.CaughtUpAt = later(l.now.CaughtUpAt, at)
	}
}

// moved sets what was noted by a clock that was set, in memory.
func (l *readingLog) moved(by time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range []*time.Time{&l.now.ReadAt, &l.now.CaughtUpAt, &l.now.Announced} {
		if !at.IsZero() {
			*at = at.Add(by)
		}
	}
}

// announced notes that a gap was announced, in memory.
func (l *readingLog) announced(to time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.Announced, l.now.Forgotten = later(l.now.Announced, to), false
}

func (l *readingLog) progress() progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// allow writes that up to n reads may be open, unless that is written already.
func (l *readingLog) allow(ctx context.Context, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n <= l.saved.Open && time.Since(l.savedAt) < noteInterval {
		return nil
	}
	return l.save(ctx, max(n, l.saved.Open))
}

// clear writes that no read is open.
func (l *readingLog) clear(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.save(ctx, 0)
}

func (l *readingLog) save(ctx context.Context, open int) error {
	next := readingRecord{Open: open, progress: l.now.utc()}
	if next == l.saved {
		return nil
	}
	if err := durable.Save(ctx, l.client, readingKey, readingVersion, next); err != nil {
		return err
	}
	l.saved, l.savedAt = next, time.Now()
	return nil
}

// before takes back what a clock that was ahead has noted: until the time came, nothing would count as late.
func (p progress) before(now time.Time) progress {
	for _, at := range []*time.Time{&p.ReadAt, &p.CaughtUpAt, &p.Announced} {
		if at.After(now) {
			*at = now
		}
	}
	return p
}

func (p progress) utc() progress {
	p.ReadAt, p.CaughtUpAt, p.Announced = p.ReadAt.UTC(), p.CaughtUpAt.UTC(), p.Announced.UTC()
	return p
}
