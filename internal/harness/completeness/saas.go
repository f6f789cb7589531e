// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// SaaSLedger fills a Book with what the simulated SaaS Security has handed out or still holds. Its events carry a marker, by
// which they go.
type SaaSLedger struct {
	url    string
	book   *Book
	client *http.Client
	known  int64 // events noted so far
}

// NewSaaSLedger reads the ledger of the simulator at a URL into the book.
func NewSaaSLedger(simulator string, book *Book) *SaaSLedger {
	return &SaaSLedger{
		url: simulator + saassecurity.AdminPath + "ledger", book: book, client: &http.Client{Timeout: time.Minute},
	}
}

// Update notes what came into being since the last call.
func (l *SaaSLedger) Update(ctx context.Context) error {
	var ledger saassecurity.Summary
	err := ask(ctx, l.client, l.url, "the simulated SaaS Security for its ledger", func(answer io.Reader) error {
		return json.NewDecoder(answer).Decode(&ledger)
	})
	if err != nil {
		return err
	}
	for now := time.Now(); l.known < int64(ledger.Enqueued); {
		l.known++
		l.book.Exists(saassecurity.Marker(l.known), now)
	}
	return nil
}
