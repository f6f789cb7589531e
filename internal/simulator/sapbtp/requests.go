// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Request is one request that the simulator got, and how it ended.
type Request struct {
	Time     time.Time `json:"time"`
	Kind     Kind      `json:"kind"`
	Host     string    `json:"host"`
	Tenant   string    `json:"tenant,omitempty"` // whose request it was, as far as that could be told
	ClientID string    `json:"client_id,omitempty"`
	TokenID  string    `json:"token_id,omitempty"` // jti of the bearer token
	From     string    `json:"from,omitempty"`     // time_from as sent
	To       string    `json:"to,omitempty"`       // time_to as sent
	Handle   string    `json:"handle,omitempty"`
	Category string    `json:"category,omitempty"`
	Page     int       `json:"page,omitempty"` // 1 for a request without handle, 0 for an unknown handle
	Status   int       `json:"status"`         // 0 where the connection broke before an answer
	Rows     int       `json:"rows"`           // records in the answer
	Note     string    `json:"note,omitempty"` // the fault or limit that decided the answer
}

// Ledger is the book of a Simulator. It is safe for concurrent use; what it returns are copies.
type Ledger struct {
	sim *Simulator

	mu       sync.Mutex
	keep     int
	requests []Request // a ring once it is full
	oldest   int
	total    map[Kind]int
	statuses map[string]int // by kind and status
	leaks    []Leak
}

func (l *Ledger) init(s *Simulator, keep int) {
	if keep <= 0 {
		keep = defaultRequests
	}
	l.sim, l.keep = s, keep
	l.total, l.statuses = map[Kind]int{}, map[string]int{}
}

// arrived takes note of a request before anything is decided about it.
func (l *Ledger) arrived(x *exchange) {
	x.leaks = l.sim.findLeaks(x)
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.tenant != nil && x.kind == KindRecords {
		x.tenant.peak.add(x.at)
	}
}

// answered writes down how a request ended.
func (l *Ledger) answered(x *exchange, r *reply) {
	req := Request{
		Time: x.at, Kind: x.kind, Host: x.req.Host, ClientID: x.client, Page: x.page, Note: r.note, Status: r.status,
		From: x.query.Get("time_from"), To: x.query.Get("time_to"), Handle: x.query.Get("handle"), Category: x.query.Get("category"),
	}
	if r.reset {
		req.Status = 0
	}
	if x.tenant != nil {
		req.Tenant = x.tenant.id
	}
	if x.token != nil {
		req.TokenID = x.token.id
	}
	written := line{Op: "request", Request: &req, Leaks: x.leaks}
	if r.page != nil {
		req.Rows = len(r.page.rows)
		if r.whole() {
			x.tenant.count(r.page.ordinals)
			written.Served = ranges(r.page.ordinals)
		}
	}
	l.sim.journal.Load().write(written)
	l.file(req, x.leaks)
}

// file keeps a request.
func (l *Ledger) file(req Request, leaks []Leak) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.leaks) < l.keep {
		l.leaks = append(l.leaks, leaks...)
	}
	l.total[req.Kind]++
	l.statuses[string(req.Kind)+" "+strconv.Itoa(req.Status)]++
	if len(l.requests) < l.keep {
		l.requests = append(l.requests, req)
		return
	}
	l.requests[l.oldest] = req
	l.oldest = (l.oldest + 1) % l.keep
}

// whole tells whether the client can read all rows of the answer.
func (r *reply) whole() bool { return !r.reset && r.cut < 0 && !r.spoiled && r.status == http.StatusOK }

// Requests lists the requests of the given kinds (all where none is given) in the order in which they were answered, the
// last Options.KeepRequests of them.
func (l *Ledger) Requests(kinds ...Kind) []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Request, 0, len(l.requests))
	for i := range l.requests {
		req := l.requests[(l.oldest+i)%len(l.requests)]
		if len(kinds) == 0 || req.Kind == kinds[0] || len(kinds) > 1 && req.Kind == kinds[1] {
			out = append(out, req)
		}
	}
	return out
}

// Total gives the number of requests of a kind since the beginning.
func (l *Ledger) Total(kind Kind) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total[kind]
}

// Answered gives the number of requests of a kind that ended with a status; 0 counts broken connections.
func (l *Ledger) Answered(kind Kind, status int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.statuses[string(kind)+" "+strconv.Itoa(status)]
}

// MaxRate gives the greatest number of retrievals that arrived for a subaccount within any one second.
func (l *Ledger) MaxRate(tenantID string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sim.mustTenant(tenantID).peak.most
}
