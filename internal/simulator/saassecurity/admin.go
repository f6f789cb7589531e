// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"io"
	"net/http"
	"strconv"
)

// AdminPath is where [Simulator.Admin] is to be mounted.
const AdminPath = "/_sim/saas/"

// Summary is the ledger without its lists, for people and scripts.
type Summary struct {
	Ledger

	TokenRequests int             `json:"token_requests"`
	ReadsBy       map[Outcome]int `json:"reads_by_outcome"`
	WrongPlaces   int             `json:"credentials_in_wrong_places"`
}

// Summary returns the counts of the ledger.
func (l Ledger) Summary() Summary {
	s := Summary{Ledger: l, TokenRequests: len(l.Tokens), ReadsBy: l.Outcomes(), WrongPlaces: len(l.Misplaced)}
	s.Reads, s.Tokens = nil, nil
	return s
}

// Admin serves what a test of a whole program needs, under [AdminPath]:
//
//	GET  ledger            the Summary as JSON
//	GET  ledger?full=true  the Ledger with every read
//	POST enqueue?n=100     adds events
//	POST rules             replaces the faults by those in the body, see ParseRules
//	POST reset-secret      replaces the client secret and returns the new one
func (s *Simulator) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+AdminPath+"ledger", func(w http.ResponseWriter, r *http.Request) {
		ledger := s.Ledger()
		if r.URL.Query().Get("full") == "true" {
			writeJSON(w, http.StatusOK, ledger)
			return
		}
		writeJSON(w, http.StatusOK, ledger.Summary())
	})
	mux.HandleFunc("POST "+AdminPath+"enqueue", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil || n < 0 {
			http.Error(w, "n must be a number of events", http.StatusBadRequest)
			return
		}
		writeJSON(w, http.StatusOK, map[string]int64{"first": s.Enqueue(n), "n": int64(n)})
	})
	mux.HandleFunc("POST "+AdminPath+"rules", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		rules, err := ParseRules(string(text))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.ClearRules()
		s.AddRules(rules...)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+AdminPath+"reset-secret", func(w http.ResponseWriter, r *http.Request) {
		revoke := r.URL.Query().Get("revoke") == "true"
		writeJSON(w, http.StatusOK, map[string]string{"client_secret": s.ResetSecret(revoke)})
	})
	return mux
}
