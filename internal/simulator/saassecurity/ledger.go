// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Outcome of a read.
type Outcome string

// Outcomes of a read.
const (
	OutcomeOpen    Outcome = "open"    // still waiting or being written
	OutcomeRefused Outcome = "refused" // refused, redirected or cut before events were taken
	OutcomeEmpty   Outcome = "empty"   // nothing was queued
	OutcomeLeft    Outcome = "left"    // the client went away before events were taken
	OutcomeServed  Outcome = "served"  // the whole reply was written
	OutcomeSpoiled Outcome = "spoiled" // a complete reply, but not all that was taken is in it
	OutcomeBroken  Outcome = "broken"  // events were taken and the reply broke off
)

// Read is one request to /api/v1/log_events_bulk or /api/v1/log_events.
type Read struct {
	ID       int       `json:"id"`
	Path     string    `json:"path"`
	Conn     string    `json:"conn"` // remote address
	Use      int       `json:"use"`  // 1 for the first request on the connection
	Size     int       `json:"size,omitempty"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Status   int       `json:"status,omitempty"` // 0 if no answer was begun
	Fault    string    `json:"fault,omitempty"`
	Outcome  Outcome   `json:"outcome"`
	Dequeued []int64   `json:"dequeued,omitempty"` // numbers of the events taken off the queue
	// Sent are those of them that were written whole before a scripted end.
	// Of a reply that failed to be written for other reasons, for instance
	// because the client died, none count as sent, although some may have
	// arrived.
	Sent []int64 `json:"sent,omitempty"`
}

// TokenRequest is one request to /oauth/token.
type TokenRequest struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"` // 0 if no answer was sent
	Fault  string    `json:"fault,omitempty"`
}

// Ledger is a snapshot of what exists and what was asked and served. The
// counts of events add up: Enqueued = Queued + Expired + Sent + Unsent.
type Ledger struct {
	Enqueued  int            `json:"enqueued"`
	Queued    int            `json:"queued"`
	Expired   int            `json:"expired"`
	Sent      int            `json:"sent"`     // events written whole
	Unsent    int            `json:"unsent"`   // events taken, but not written whole
	Dequeues  int            `json:"dequeues"` // reads that took events
	Reads     []Read         `json:"reads,omitempty"`
	Tokens    []TokenRequest `json:"tokens,omitempty"`
	Misplaced []Misplaced    `json:"misplaced,omitempty"`
}

// Ledger returns a snapshot.
func (s *Simulator) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.expire(time.Now())
	count := s.queue.count()
	l := Ledger{
		Enqueued:  len(s.queue.events),
		Queued:    count[stateQueued],
		Expired:   count[stateExpired],
		Sent:      count[stateSent],
		Unsent:    count[stateDequeued],
		Reads:     make([]Read, 0, len(s.reads)),
		Tokens:    slices.Clone(s.tokenLog),
		Misplaced: slices.Clone(s.wrong),
	}
	for _, r := range s.reads {
		l.Reads = append(l.Reads, r.Read)
		if len(r.Dequeued) > 0 {
			l.Dequeues++
		}
	}
	return l
}

// Outcomes counts the reads by outcome.
func (l Ledger) Outcomes() map[Outcome]int {
	count := map[Outcome]int{}
	for _, r := range l.Reads {
		count[r.Outcome]++
	}
	return count
}

// SentEvents are the numbers of the events that were written whole, in the
// order of the reads.
func (l Ledger) SentEvents() []int64 {
	var numbers []int64
	for _, r := range l.Reads {
		numbers = append(numbers, r.Sent...)
	}
	return numbers
}

// read is a ledger entry in progress; the lock of the simulator guards it.
type read struct{ Read }

func (s *Simulator) openRead(r *http.Request) *read {
	size, _ := strconv.Atoi(r.URL.Query().Get("size"))
	s.mu.Lock()
	defer s.mu.Unlock()
	rd := &read{Read{
		ID: len(s.reads) + 1, Path: r.URL.Path, Conn: r.RemoteAddr, Use: s.uses[r.RemoteAddr],
		Size: size, Start: time.Now(), Outcome: OutcomeOpen,
	}}
	s.reads = append(s.reads, rd)
	return rd
}

// finish writes down how a read ended; the first so many events of its batch
// were sent. It may be called again with worse news.
func (s *Simulator) finish(rd *read, status int, outcome Outcome, fault string, sent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rd.Outcome == OutcomeBroken {
		return // there is no worse, and its events may be queued again
	}
	rd.Status, rd.Outcome, rd.Fault, rd.End = status, outcome, fault, time.Now()
	rd.Sent = rd.Dequeued[:sent:sent]
	for i, number := range rd.Dequeued {
		if i < sent {
			s.queue.set(number, stateSent)
		} else {
			s.queue.set(number, stateDequeued)
		}
	}
	if outcome == OutcomeBroken && s.opts.Requeue {
		s.queue.giveBack(rd.Dequeued)
		s.wake()
	}
}

func (s *Simulator) noteToken(status int, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokenLog = append(s.tokenLog, TokenRequest{At: time.Now(), Status: status, Fault: fault})
}

// drawFault draws lots for a request, either among the rules that refuse it or
// among those that spoil the reply.
func (s *Simulator) drawFault(r *http.Request, refusing bool) (Fault, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault(r.URL.Path, s.uses[r.RemoteAddr] > 1, refusing)
}
