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
	// ReadAt is when a read was last answered.
	ReadAt time.Time `json:"read_at,omitzero"`
}

// readingLog keeps the record in storage. It is written when reading begins and ends and when more readers are allowed, never
// for a single read.
type readingLog struct {
	client storage.Client

	mu      sync.Mutex
	saved   readingRecord
	savedAt time.Time
	readAt  time.Time
}

// openReadingLog returns the log and what the last run left in it. A damaged record says nothing about open reads, so one is
// assumed.
func openReadingLog(ctx context.Context, client storage.Client) (*readingLog, readingRecord, error) {
	l := &readingLog{client: client}
	err := durable.Load(ctx, client, readingKey, readingVersion, &l.saved)
	switch {
	case errors.Is(err, durable.ErrCorrupt):
		l.saved = readingRecord{Open: 1}
	case err != nil && !errors.Is(err, durable.ErrAbsent):
		return nil, readingRecord{}, err
	}
	l.readAt = l.saved.ReadAt
	return l, l.saved, nil
}

// answered notes that a read was answered, in memory.
func (l *readingLog) answered(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.After(l.readAt) {
		l.readAt = at
	}
}

func (l *readingLog) lastAnswer() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readAt
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
	next := readingRecord{Open: open, ReadAt: l.readAt.UTC()}
	if next == l.saved {
		return nil
	}
	if err := durable.Save(ctx, l.client, readingKey, readingVersion, next); err != nil {
		return err
	}
	l.saved, l.savedAt = next, time.Now()
	return nil
}
