// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"
)

// SAPLedger fills a Book with what the simulated SAP BTP shows.
type SAPLedger struct {
	url    string
	book   *Book
	client *http.Client
	asked  time.Time // until when everything is known
}

// overlap is asked for again: the simulator makes traffic in ticks, so a record appears after the time from which it counts
// as visible, on a busy machine by many seconds. A record that is never asked for is missed by nobody.
const overlap = 30 * time.Second

// NewSAPLedger reads the ledger of the simulator at a URL into the book, where the records go by their message_uuid.
func NewSAPLedger(simulator string, book *Book) *SAPLedger {
	return &SAPLedger{url: simulator + "/_sim/records", book: book, client: &http.Client{Timeout: time.Minute}}
}

// Update notes what became visible since the last call; the first one takes everything.
func (l *SAPLedger) Update(ctx context.Context) error {
	target := l.url
	if !l.asked.IsZero() {
		target += "?since=" + url.QueryEscape(l.asked.Add(-overlap).UTC().Format(time.RFC3339))
	}
	now := time.Now()
	err := ask(ctx, l.client, target, "the simulated SAP BTP for its records", l.note)
	if err == nil {
		l.asked = now
	}
	return err
}

// note takes records, one a line.
func (l *SAPLedger) note(answer io.Reader) error {
	for lines := json.NewDecoder(answer); ; {
		var record struct {
			ID        string    `json:"id"`
			VisibleAt time.Time `json:"visible_at"`
		}
		switch err := lines.Decode(&record); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		l.book.Exists(record.ID, record.VisibleAt)
	}
}
