// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sweep

// pageBudget is how many records a combined query may be expected to bring. The API's page has 500; the reserve absorbs
// bursts.
const pageBudget = 400

// Plan is what a poll has to read.
type Plan struct {
	// Bound is the source's time up to which the poll reads, in Unix seconds.
	Bound int64
	// Poll is the time from one poll to the next in seconds, at least 1.
	Poll int64
	// Tick tells that this time has passed, so that what is new is due although it is less than a poll's.
	Tick bool
	// Reserved is what is spoken for otherwise: it is not due, and nothing is joined across it.
	Reserved Set
	// Rate is the expected number of records per second of event time; negative when unknown.
	Rate float64
}

// Due is the set of spans that the poll reads. Of each sweep it is every hole, and what is new since its last run once that is
// a quarter of the sweep's delay, and unless the poll's time has come as much as a poll's. Spans are bridged where the whole is
// expected to fit one page, so that a quiet subaccount costs one request a poll.
func (p *Progress) Due(plan Plan) Set {
	var due Set
	for i := range p.Passes {
		pass := &p.Passes[i]
		limit := plan.Bound - pass.Delay
		enough := max(1, pass.Delay/4)
		if !plan.Tick {
			enough = max(enough, plan.Poll)
		}
		for _, span := range pass.pending(limit) {
			for _, part := range (Set{span}).Minus(plan.Reserved) {
				// What is new waits until it is enough, whatever is reserved of the time before it.
				if hole := span.To < limit; hole || part.Len() >= enough || part.To < limit && span.Len() >= enough {
					due = due.Add(part)
				}
			}
		}
	}
	return due.bridge(plan.Rate, p.Unread().Minus(plan.Reserved))
}

// bridge joins neighbouring spans, newest first, while the joined span is expected to fit one page and what lies between lies
// within also, what may be read as well: beyond it the ids of delivered events are no longer remembered.
func (s Set) bridge(rate float64, also Set) Set {
	if rate < 0 || len(s) < 2 {
		return s
	}
	hull := s[len(s)-1]
	for i := len(s) - 2; i >= 0; i-- {
		joined := Span{s[i].From, hull.To}
		between := Set{{s[i].To, hull.From}}
		if float64(joined.Len())*rate > pageBudget || len(between.Minus(also)) > 0 {
			break
		}
		hull = joined
	}
	return s.Add(hull)
}

// TakeNewest cuts at most n seconds from the newest end of the set, never across a hole. It reports false when the set is
// empty.
func (s *Set) TakeNewest(n int64) (Span, bool) {
	if len(*s) == 0 {
		return Span{}, false
	}
	last := len(*s) - 1
	span := (*s)[last]
	if span.Len() <= n {
		*s = (*s)[:last]
		return span, true
	}
	span.From = span.To - n
	*s = s.Minus(Set{span})
	return span, true
}

// TakeOldest is TakeNewest from the other end.
func (s *Set) TakeOldest(n int64) (Span, bool) {
	if len(*s) == 0 {
		return Span{}, false
	}
	span := (*s)[0]
	span.To = min(span.To, span.From+n)
	*s = s.Minus(Set{span})
	return span, true
}
