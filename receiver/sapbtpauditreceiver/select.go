// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/seen"
)

// selection is what becomes of a page's records.
type selection struct {
	observed   time.Time
	logs       plog.Logs    // what is to be delivered
	seconds    []int64      // the times of the records in logs
	events     []seen.Event // all that need not be looked at again, the unwanted ones included
	records    []chosenRecord
	taken      int // records of the page that this is about, delivered before or not
	duplicates int
	malformed  int
	ambiguous  int            // with text that imitates parts of itself
	notUTF8    int            // with bytes that are no text
	redacted   int            // with the value of a token taken out
	dropped    map[string]int // by reason
}

// chosenRecord is a record that is to be delivered.
type chosenRecord struct {
	uid      string
	second   int64
	from, to int // its part of selection.events
}

// Bounds of what is mapped, delivered and saved at once. A usual page has 500 records in half a megabyte. A value of JSON that
// is sent in two bytes takes some dozens of them when it is mapped, so the text bounds the memory.
const (
	partRecords = 2 * pageRecords
	partText    = 1 << 20 // bytes; a record that is larger is a part of its own
)

// noTime is before what any query asks for, in Unix seconds, so that the event is known whatever query brings it again.
const noTime = math.MinInt64 / 2

// selector takes from a page, part by part, what is new on it.
type selector struct {
	s       *subaccount
	w       *window
	records []record.Raw // those that are left
	onPage  map[record.Key]struct{}
}

func newSelector(s *subaccount, w *window, p *page) *selector {
	return &selector{s: s, w: w, records: p.records, onPage: make(map[record.Key]struct{}, len(p.records))}
}

// next maps records of the page that were not delivered before and that the configuration wants, as many as are a part.
func (r *selector) next(observed time.Time) *selection {
	s, w := r.s, r.w
	logs, into := s.newLogs()
	before := len(r.records)
	most := min(before, partRecords)
	chosen := &selection{
		observed: observed, logs: logs, dropped: map[string]int{},
		events: make([]seen.Event, 0, most), seconds: make([]int64, 0, most),
	}
	for text := 0; len(r.records) > 0 && len(chosen.events) < partRecords; r.records = r.records[1:] {
		raw := &r.records[0]
		if _, twice := r.onPage[raw.Key]; twice || w.view.Has(seen.Key(raw.Key)) {
			chosen.duplicates++
			continue
		}
		if text += len(raw.Text); text > partText && len(chosen.events) > 0 {
			break
		}
		r.onPage[raw.Key] = struct{}{}
		second := raw.Time.Unix()
		from := len(chosen.events)
		if raw.Time.IsZero() {
			// It may belong to either edge of the window, where the windows next to it would find it too.
			second = w.span.From
			chosen.events = append(chosen.events, seen.Event{Key: seen.Key(raw.Key), Second: w.span.To - 1}, seen.Event{Key: seen.Key(raw.Key), Second: noTime})
		} else {
			chosen.events = append(chosen.events, seen.Event{Key: seen.Key(raw.Key), Second: second})
		}
		if reason := s.unwanted(raw); reason != "" {
			chosen.dropped[reason]++
			continue
		}
		if raw.Malformed {
			chosen.malformed++
		}
		chosen.note(s.mapper.Append(into, raw, observed))
		chosen.seconds = append(chosen.seconds, second)
		chosen.records = append(chosen.records, chosenRecord{uid: uidOf(into.At(into.Len() - 1)), second: second, from: from, to: len(chosen.events)})
	}
	chosen.taken = before - len(r.records)
	return chosen
}

// note counts what was noticed about a record.
func (c *selection) note(notes record.Notes) {
	if notes.Ambiguous {
		c.ambiguous++
	}
	if notes.NotUTF8 {
		c.notUTF8++
	}
	if notes.Redacted {
		c.redacted++
	}
}
