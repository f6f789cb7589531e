// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package sweep does the arithmetic of reading time without holes: which spans of event time were read with which
// delay, what is still to be read, and in which order. It knows no HTTP, no storage and no clock. design.md beside this
// file explains why one read counts for several sweeps.
package sweep

import (
	"math"
	"slices"
	"time"
)

// Span is a half-open range [From, To) of event time in whole Unix seconds.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// forever ends spans that have no end yet.
const forever = math.MaxInt64

// Len is the number of seconds in the span; 0 when it is empty.
func (s Span) Len() int64 { return max(0, s.To-s.From) }

// Empty reports whether the span holds no second.
func (s Span) Empty() bool { return s.To <= s.From }

// Overlaps reports whether both spans share at least one second.
func (s Span) Overlaps(o Span) bool { return max(s.From, o.From) < min(s.To, o.To) }

// Widen moves both edges outwards by n seconds.
func (s Span) Widen(n int64) Span { return Span{s.From - n, s.To + n} }

// Halves cuts the span in two non-empty parts, newer part first. It reports false for a span of a single second, which
// cannot be cut because the API filters by whole seconds.
func (s Span) Halves() (newer, older Span, ok bool) {
	if s.Len() < 2 {
		return s, Span{}, false
	}
	mid := s.From + s.Len()/2
	return Span{mid, s.To}, Span{s.From, mid}, true
}

// Start and End give the edges as times in UTC.
func (s Span) Start() time.Time { return time.Unix(s.From, 0).UTC() }

// End is the first second that is no longer part of the span.
func (s Span) End() time.Time { return time.Unix(s.To, 0).UTC() }

// Set is a sorted list of spans that neither overlap nor touch. The nil Set is empty.
type Set []Span

// Add returns the set with span added; spans that touch become one.
func (s Set) Add(span Span) Set {
	if span.Empty() {
		return s
	}
	// first is the first span that reaches span, last is one past the last that does.
	first, _ := slices.BinarySearchFunc(s, span.From, func(e Span, from int64) int { return cmpBool(e.To < from) })
	last := first
	for last < len(s) && s[last].From <= span.To {
		span.From, span.To = min(span.From, s[last].From), max(span.To, s[last].To)
		last++
	}
	return slices.Replace(slices.Clone(s), first, last, span)
}

// Union returns what is in at least one of both sets.
func (s Set) Union(o Set) Set {
	for _, span := range o {
		s = s.Add(span)
	}
	return s
}

// Minus returns what is in s and not in o.
func (s Set) Minus(o Set) Set {
	var out Set
	for _, span := range s {
		for _, cut := range o {
			if !span.Overlaps(cut) {
				continue
			}
			if before := (Span{span.From, cut.From}); !before.Empty() {
				out = append(out, before)
			}
			span.From = min(cut.To, span.To)
		}
		if !span.Empty() {
			out = append(out, span)
		}
	}
	return out
}

// Before returns what of the set lies before limit, in Unix seconds.
func (s Set) Before(limit int64) Set { return s.Minus(Set{{limit, forever}}) }

// Overlaps reports whether the set shares at least one second with span.
func (s Set) Overlaps(span Span) bool {
	return slices.ContainsFunc(s, span.Overlaps)
}

// Len is the number of seconds in the set.
func (s Set) Len() (n int64) {
	for _, span := range s {
		n += span.Len()
	}
	return n
}

// cmpBool orders like a comparison function that searches the first element for which less is false.
func cmpBool(less bool) int {
	if less {
		return -1
	}
	return 1
}
