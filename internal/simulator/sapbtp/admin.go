// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// Admin serves what a program around the simulator shows, for people and scripts:
//
//	GET  /_sim/ledger                      the Summary as JSON
//	GET  /_sim/records?since=RFC3339       one JSON line for each record that became visible since then, and no later than now
//	GET  /_sim/requests                    one JSON line for each of the last requests
//	POST /_sim/script                      replaces the fault script by the one in the body
//
// Everything else goes to the simulator.
func (s *Simulator) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s)
	mux.HandleFunc("GET /_sim/ledger", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", typeJSON)
		// A client that went away is its own business.
		_ = json.NewEncoder(w).Encode(s.ledger.Summary())
	})
	mux.HandleFunc("GET /_sim/records", s.listRecords)
	mux.HandleFunc("GET /_sim/requests", func(w http.ResponseWriter, _ *http.Request) {
		writeLines(w, func(write func(any) bool) {
			for _, req := range s.ledger.Requests() {
				if !write(req) {
					return
				}
			}
		})
	})
	mux.HandleFunc("POST /_sim/script", s.replaceScript)
	return mux
}

// listed is a record in the list of records.
type listed struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenant"`
	Time      time.Time `json:"time"`
	VisibleAt time.Time `json:"visible_at"`
	Category  string    `json:"category"`
	Served    int       `json:"served"`
}

func (s *Simulator) listRecords(w http.ResponseWriter, req *http.Request) {
	var since time.Time
	if text := req.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, text); err != nil {
			http.Error(w, "since must be a time like 2026-09-14T12:00:00Z", http.StatusBadRequest)
			return
		}
	}
	from, now := since.UnixMilli(), s.now().UnixMilli()
	writeLines(w, func(write func(any) bool) {
		for _, t := range s.tenants {
			shown := func(e *entry) bool { return e.visible >= from && e.visible <= now }
			if !t.walk(shown, func(e Entry) bool {
				return write(listed{e.ID, e.Tenant, e.Time, e.VisibleAt, e.Category, e.Served})
			}) {
				return
			}
		}
	})
}

func (s *Simulator) replaceScript(w http.ResponseWriter, req *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxForm))
	if err == nil {
		var rules []Rule
		if rules, err = ParseScript(raw); err == nil {
			err = s.Script(rules...)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// writeLines sends a JSON line for everything that each writes, as long as somebody reads.
func writeLines(w http.ResponseWriter, each func(write func(any) bool)) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(out)
	each(func(v any) bool { return encoder.Encode(v) == nil })
	_ = out.Flush()
}
