// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"math"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/completeness"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/otlplines"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// deliveries is how many of them a receiver of saas_security has under way at most, each of one reply.
const deliveries = 4

// sums of the books.
type sums struct {
	lost     int // replies
	repeated int // events, more often than once
}

// arrivals reads what the sink has into a book, in which each event goes by the id that key finds in its record.
func (w *world) arrivals(book *completeness.Book, key func(plog.LogRecord) string) {
	w.t.Helper()
	owners := map[string]string{}
	sink := otlplines.Follow(w.path(arrivals))
	defer sink.Close()
	require.NoError(w.t, sink.Poll(func(logs plog.Logs) {
		for _, r := range observed.Records(logs) {
			id := key(r)
			uid, _ := r.Attributes().Get("log.record.uid")
			book.Arrival(id, uid.Str())
			if owner, known := owners[uid.Str()]; known {
				require.Equal(w.t, owner, id, "different events under one log.record.uid")
			}
			owners[uid.Str()] = id
		}
	}))
}

// settle closes the books of saas_security after a last life in which nothing goes wrong. Whatever was killed before:
//
//   - nothing is left in the queue or in the spool;
//   - a reply is missing as a whole or not at all, and there are no more such replies than reads that were counted in doubt;
//   - no more reads were counted than can have been open;
//   - what came again came under the same log.record.uid, and it is no more than was being delivered.
func (w *saasWorld) settle(last life) sums {
	w.t.Helper()
	require.False(w.t, w.live(last, nil))
	ledger := w.sim.Ledger()
	require.Zero(w.t, ledger.Queued, "left in the queue")
	require.Zero(w.t, w.report().Left, "left in the spool")

	book := completeness.NewBook()
	for n := range int64(ledger.Enqueued) {
		book.Exists(saassecurity.Marker(n+1), time.Now())
	}
	w.arrivals(book, func(r plog.LogRecord) string {
		found := saassecurity.Find([]byte(r.Body().AsString()))
		require.Len(w.t, found, 1, "an event, and one only: %s", r.EventName())
		return saassecurity.Marker(found[0])
	})
	missing := map[string]bool{}
	for _, id := range book.MissingIDs(time.Now().Add(time.Hour), math.MaxInt) {
		missing[id] = true
	}
	for _, n := range w.report().Quarantined {
		delete(missing, saassecurity.Marker(n))
	}
	got := sums{repeated: book.State().Repeated}
	for _, read := range ledger.Reads {
		lost := 0
		for _, n := range read.Dequeued {
			if missing[saassecurity.Marker(n)] {
				lost++
			}
		}
		if lost > 0 {
			require.Len(w.t, read.Dequeued, lost, "read %d lost a part of its reply", read.ID)
			require.LessOrEqual(w.t, lost, saassecurity.MaxBatch)
			got.lost++
		}
	}
	require.LessOrEqual(w.t, got.lost, w.doubt, "replies that are lost, and reads that were counted as in doubt")
	require.LessOrEqual(w.t, w.doubt, w.kills*w.readers, "reads in doubt, and readers that kills can have caught")
	require.LessOrEqual(w.t, got.repeated, w.kills*deliveries*saassecurity.MaxBatch, "repeats, and what kills can have caught")
	require.Zero(w.t, book.State().Unknown, "events that do not exist")
	require.Zero(w.t, book.State().Renamed, "events that came again under another log.record.uid")
	return got
}
