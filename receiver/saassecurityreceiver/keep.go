// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

// Pauses between tries to commit a reply. Meanwhile no further read is made.
const (
	minCommitPause = 100 * time.Millisecond
	maxCommitPause = 5 * time.Second
)

// Facts about a reply that stay with its body.
const (
	metaContentType = "content_type"
	metaPath        = "path"
	metaKind        = "kind" // only of what the receiver itself has to say
)

// requested counts a read and what is not known of it.
func (e *engine) requested(ctx context.Context, r *reply) {
	if r.sent == 0 {
		return
	}
	e.tel.read(ctx, r)
	reason := r.unknown()
	if reason == "" {
		return
	}
	e.tel.unknown(ctx, reason, int64(max(1, r.sent-1)))
	if r.sent > 1 {
		e.logger.Error("A read was sent more than once, by a middleware or proxy of the HTTP client; what its other replies brought is lost",
			zap.Int("times", r.sent))
	}
}

// keep commits a reply to the spool and does not give up before ctx does: there is no second copy of it anywhere.
func (e *engine) keep(ctx context.Context, room *spool.Reservation, r *reply) {
	batch := spool.Batch{ReceivedAt: r.at, Meta: meta(r), Truncated: r.truncated, Body: r.body}
	r.body = nil
	start := time.Now()
	_, err := room.Commit(context.WithoutCancel(ctx), batch)
	if err != nil {
		e.unsaved.Add(1)
		defer e.unsaved.Add(-1)
		err = e.keepTrying(ctx, room, batch, err)
	}
	if err != nil {
		e.tel.unknown(ctx, "not_stored", 1)
		e.logger.Error("What was read could not be stored before the end: its events are lost", zap.Int("bytes", len(batch.Body)))
		return
	}
	e.status.Set(causeStorage, nil)
	e.tel.committed(ctx, time.Since(start))
}

func (e *engine) keepTrying(ctx context.Context, room *spool.Reservation, batch spool.Batch, err error) error {
	for pause := minCommitPause; err != nil; pause = min(2*pause, maxCommitPause) {
		e.status.Set(causeStorage, errCommit)
		e.logger.Error("The spool does not take what was read; it is kept in memory, and reading waits",
			zap.Error(err), zap.Int("bytes", len(batch.Body)))
		if sleep(ctx, pause) != nil {
			return err
		}
		_, err = room.Commit(context.WithoutCancel(ctx), batch)
	}
	return nil
}

func meta(r *reply) map[string]string {
	m := map[string]string{metaPath: r.path}
	if contentType := r.header.Get("Content-Type"); contentType != "" {
		m[metaContentType] = contentType[:min(len(contentType), 128)]
	}
	if r.status != http.StatusOK {
		m["status"] = http.StatusText(r.status)
	}
	return m
}
