// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"time"
)

// Endpoint says which requests a [Rule] is for.
type Endpoint string

// The endpoints of the API.
const (
	Reads  Endpoint = "reads" // both reads; the default
	Bulk   Endpoint = "bulk"
	Single Endpoint = "single"
	Token  Endpoint = "token"
)

// Rule makes matching requests go wrong. Of several rules that match a request
// the first one wins; rules that refuse a request come before those that spoil its
// reply, and the latter count only reads that have events.
type Rule struct {
	On     Endpoint
	Reused bool    // only when the connection has carried a request before
	Skip   int     // let so many matching requests pass first
	Times  int     // then spoil so many; 0 means all
	Chance float64 // spoil each with this probability; 0 means always
	Fault  Fault
}

// Reset is a point at which a connection is cut without an answer.
type Reset string

// The points of a [Reset].
const (
	ResetBefore Reset = "before" // before events are taken
	ResetAfter  Reset = "after"  // after they were taken, before the first byte
)

// Document replaces the JSON of a reply.
type Document string

// The documents a reply can be spoiled with.
const (
	Half    Document = "half"    // the first half of the JSON, as a complete HTTP reply
	Garbage Document = "garbage" // something that begins like JSON and is none; the events are lost
	HTML    Document = "html"    // a page of some proxy, sent with status 200; no event is taken
)

// Special values of [Fault.Truncate].
const (
	HeadersOnly = -1 // break off after the headers
	AtRandom    = -2 // break off anywhere in the body
)

// Fault says what goes wrong with a request. Fields combine where that makes
// sense, for instance Delay with Truncate. Except for Status, Redirect, HTML
// and [ResetBefore], the events of the reply have been taken off the queue
// when it happens.
type Fault struct {
	// Status refuses the request. 401 has the documented JSON body, 5xx an
	// HTML page. Nothing is taken off the queue.
	Status int
	// RetryAfter is the header of that name of a refusal.
	RetryAfter string
	// Redirect refuses with 302 to this location.
	Redirect string
	// Delay passes between taking the events and the first byte.
	Delay time.Duration
	// Stall passes in the middle of the body.
	Stall time.Duration
	// Reset cuts the connection.
	Reset Reset
	// Truncate cuts the connection after so many bytes of the body, see also
	// [HeadersOnly] and [AtRandom].
	Truncate int
	// Chunked sends the reply without saying how long it is.
	Chunked bool
	// Document replaces the JSON.
	Document Document
	// Oversize grows the reply to this many bytes with blanks, which leaves
	// it valid.
	Oversize int
	// Gzip compresses the reply if the client accepts that.
	Gzip bool
}

// refuses reports whether the request ends before events are taken.
func (f Fault) refuses() bool {
	return f.Status != 0 || f.Redirect != "" || f.Reset == ResetBefore || f.Document == HTML
}

// activeRule counts the matches of a rule.
type activeRule struct {
	Rule
	matched, fired int
}

// fault draws lots for a request, either among the rules that refuse it or
// among those that spoil its reply. The second draw is only made when there is
// a reply to spoil, so that a rule is not used up by a read of an empty queue.
// The caller holds the lock.
func (s *Simulator) fault(path string, reused, refusing bool) (Fault, string) {
	for _, r := range s.rules {
		if !r.covers(path) || r.Fault.refuses() != refusing || (r.Reused && !reused) || (r.Times > 0 && r.fired >= r.Times) {
			continue
		}
		if r.matched++; r.matched <= r.Skip {
			continue
		}
		if r.Chance > 0 && s.random.Float64() >= r.Chance {
			continue
		}
		r.fired++
		return r.Fault, r.Fault.String()
	}
	return Fault{}, ""
}

func (r *activeRule) covers(path string) bool {
	switch r.On {
	case Token:
		return path == pathToken
	case Bulk:
		return path == pathBulk
	case Single:
		return path == pathSingle
	default:
		return path == pathBulk || path == pathSingle
	}
}

// Mix returns rules that spoil reads in every way the simulator knows, each way
// with the given probability (0 to 1). Waits are short, so that a run of many
// requests ends.
func Mix(chance float64) []Rule {
	faults := []Fault{
		{Status: 401},
		{Status: 403},
		{Status: 408},
		{Status: 429},
		{Status: 429, RetryAfter: "1"},
		{Status: 500},
		{Status: 502},
		{Status: 503, RetryAfter: "1"},
		{Status: 504},
		{Redirect: "/elsewhere"},
		{Reset: ResetBefore},
		{Reset: ResetAfter},
		{Truncate: AtRandom},
		{Truncate: AtRandom, Chunked: true},
		{Truncate: HeadersOnly},
		{Delay: 50 * time.Millisecond},
		{Stall: 50 * time.Millisecond},
		{Document: Half},
		{Document: Garbage},
		{Document: HTML},
		{Gzip: true},
	}
	rules := make([]Rule, 0, len(faults))
	for _, f := range faults {
		rules = append(rules, Rule{On: Reads, Chance: chance, Fault: f})
	}
	return rules
}
