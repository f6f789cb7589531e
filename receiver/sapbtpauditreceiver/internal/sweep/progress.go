// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Pass is one sweep's progress: everything before Watermark, and the spans in Done beyond it, was read at least Delay
// after its event time.
type Pass struct {
	// Delay between an event's time and its reading by this sweep, in seconds.
	Delay int64 `json:"delay"`
	// Watermark is the end of the contiguous part that is done, in Unix seconds. It only grows.
	Watermark int64 `json:"watermark"`
	// Done holds what was read beyond the watermark, as happens while windows are read in parallel and newest first.
	Done Set `json:"done,omitempty"`
}

// add marks span as done and moves the watermark over the contiguous prefix.
func (p *Pass) add(span Span) {
	span.From = max(span.From, p.Watermark)
	p.Done = p.Done.Add(span)
	if len(p.Done) > 0 && p.Done[0].From <= p.Watermark {
		p.Watermark = p.Done[0].To
		p.Done = append(Set(nil), p.Done[1:]...)
	}
}

// pending is what the sweep has not read up to bound.
func (p *Pass) pending(bound int64) Set {
	open := Span{p.Watermark, bound}
	if open.Empty() {
		return nil
	}
	return Set{open}.Minus(p.Done)
}

// Progress is what was read of one subaccount, per sweep, shortest delay first.
type Progress struct {
	Passes []Pass `json:"passes"`
}

// New starts all sweeps at start (Unix seconds): nothing before it is asked for.
func New(delays []time.Duration, start int64) Progress {
	p := Progress{}
	for _, d := range seconds(delays) {
		p.Passes = append(p.Passes, Pass{Delay: d, Watermark: start})
	}
	return p
}

// WithDelays adapts stored progress to a changed list of sweeps without forgetting a range and without reading a range
// whose seen ids are gone: a new sweep takes over what the next longer one has done, or, when it is the longest, what the
// longest one so far has done.
func (p Progress) WithDelays(delays []time.Duration) Progress {
	out := Progress{}
	for _, d := range seconds(delays) {
		i := slices.IndexFunc(p.Passes, func(old Pass) bool { return old.Delay >= d })
		if i < 0 {
			i = len(p.Passes) - 1
		}
		out.Passes = append(out.Passes, Pass{Delay: d, Watermark: p.Passes[i].Watermark, Done: slices.Clone(p.Passes[i].Done)})
	}
	return out
}

// Clone returns a deep copy, so that a change can be saved before it becomes the truth in memory.
func (p Progress) Clone() Progress {
	out := Progress{Passes: slices.Clone(p.Passes)}
	for i := range out.Passes {
		out.Passes[i].Done = slices.Clone(out.Passes[i].Done)
	}
	return out
}

// Record marks span as read at a moment when the clock of the source showed bound (Unix seconds). It counts for every
// sweep up to bound minus that sweep's delay, because a range read that late is what the sweep would have read.
func (p *Progress) Record(span Span, bound int64) {
	for i := range p.Passes {
		pass := &p.Passes[i]
		pass.add(Span{span.From, min(span.To, bound-pass.Delay)})
	}
}

// Abandon marks span as done for every sweep although it was not read. The caller announces the gap.
func (p *Progress) Abandon(span Span) { p.Record(span, forever) }

// Ahead reports whether something beyond bound is marked as read, as far as the first sweep shows it; to the others more than
// their delay allows may be credited, by Abandon.
func (p *Progress) Ahead(bound int64) bool { return p.Front() > bound }

// Front is the end of what the first sweep has read, in Unix seconds.
func (p *Progress) Front() int64 {
	first := &p.Passes[0]
	if n := len(first.Done); n > 0 {
		return first.Done[n-1].To
	}
	return first.Watermark
}

// BeginAt moves the start from where New set it to an earlier time (Unix seconds): what lies between is still to be read.
func (p *Progress) BeginAt(from, start int64) { p.Reopen(Set{}.Add(Span{start, from})) }

// Reopen makes set unread for every sweep, also where it lies before the start. What was read beside it stays read; time before
// the start that is not in the set is taken as read.
func (p *Progress) Reopen(set Set) {
	if len(set) == 0 {
		return
	}
	for i := range p.Passes {
		pass := &p.Passes[i]
		if from := set[0].From; from < pass.Watermark {
			pass.Done = pass.Done.Add(Span{from, pass.Watermark})
			pass.Watermark = from
		}
		pass.Done = pass.Done.Minus(set)
	}
}

// Rewind takes back what was credited beyond bound, which happens when the clock that gave the bound was ahead and was
// then set back. It reports whether anything changed.
func (p *Progress) Rewind(bound int64) (changed bool) {
	for i := range p.Passes {
		pass := &p.Passes[i]
		limit := bound - pass.Delay
		if pass.Watermark > limit {
			pass.Watermark, changed = limit, true
		}
		if n := len(pass.Done); n > 0 && pass.Done[n-1].To > limit {
			pass.Done, changed = pass.Done.Minus(Set{{limit, forever}}), true
		}
	}
	return changed
}

// Unread is everything that at least one sweep will still read, from now to the end of time. Ids of events outside it
// need not be remembered.
func (p *Progress) Unread() Set {
	var out Set
	for i := range p.Passes {
		out = out.Union(p.Passes[i].pending(forever))
	}
	return out
}

// Behind is what the first sweep has not read up to bound: the distance to live.
func (p *Progress) Behind(bound int64) Set {
	if len(p.Passes) == 0 {
		return nil
	}
	return p.Passes[0].pending(bound)
}

// LastReading is what of span is read for the last time when it is read at bound: with that every sweep has read it. What such
// an answer lacks nobody will find.
func (p *Progress) LastReading(span Span, bound int64) Set {
	read := Set{span}
	last := read.Minus(read.Minus(p.Unread()))
	for i := range p.Passes {
		pass := &p.Passes[i]
		last = last.Minus(pass.pending(forever).Minus(Set{{math.MinInt64, bound - pass.Delay}}))
	}
	return last
}

// Oldest is the lowest watermark of all sweeps, in Unix seconds.
func (p *Progress) Oldest() int64 {
	return slices.MinFunc(p.Passes, func(a, b Pass) int { return cmp.Compare(a.Watermark, b.Watermark) }).Watermark
}

// SweepAt names the delay in seconds of the longest sweep that is credited when an event of time t is read at bound: the
// sweep that brought the event.
func (p *Progress) SweepAt(t, bound int64) int64 {
	delay := int64(0)
	for i := range p.Passes {
		if t < bound-p.Passes[i].Delay {
			delay = p.Passes[i].Delay
		}
	}
	return delay
}

func seconds(delays []time.Duration) []int64 {
	out := make([]int64, len(delays))
	for i, d := range delays {
		// Rounded up: a sweep never runs earlier than its delay says.
		out[i] = int64((d + time.Second - 1) / time.Second)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
