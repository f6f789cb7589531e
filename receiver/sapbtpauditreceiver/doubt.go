// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import "github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"

const (
	// emptyLooks is how often an empty answer that is in doubt is asked for again.
	emptyLooks = 2
	// shorterLooks is how many looks at a window may bring less than one before them.
	shorterLooks = 5
)

// ending is what the end of a window proves. SAP gives no number of records, so a fault can look like an end.
type ending struct {
	proven sweep.Set // what is read
	doubt  string    // the reason for which the rest has to be asked for by itself; "" if it need not be
	again  sweep.Set // the rest; without a doubt the next poll reads it with what is due then
}

// judge says what the end of a window proves.
func (s *subaccount) judge(w *window) ending {
	whole := sweep.Set{w.span}
	if doubt := w.doubt(); doubt != "" {
		return ending{doubt: doubt, again: whole}
	}
	if w.records > 0 || w.empties >= emptyLooks || w.salvage {
		return ending{proven: whole}
	}
	// Where another sweep reads on, an empty answer costs nothing but time. Where none does, two looks have to agree.
	last := s.published.Load().LastReading(w.span, w.bound).Minus(s.wasEmpty())
	end := ending{proven: whole.Minus(last), again: last}
	if len(last) > 0 && !w.current {
		end.doubt = reasonEmpty
	}
	return end
}

// doubt names the reason for which the end of the window may be no end: a full last page may have lost its handle, one without
// records its place, and an answer without records may be a fault where it is known that there are records. It returns "" when
// there is none, or when looking again has brought the same: as many records as the longest look before.
func (w *window) doubt() string {
	switch {
	case w.salvage:
		return ""
	case w.lastFull && w.records != w.most:
		return reasonFullLast
	case w.lastMissing && (w.cuts == 0 || w.records != w.most), w.records < w.most && w.cuts < shorterLooks:
		return reasonEmptyLast
	case w.records == 0 && w.empties < emptyLooks && w.view.Holds(w.span):
		return reasonEmpty
	default:
		return ""
	}
}

// leave notes what had no records when it should have been read for the last time. It stays due: the next poll asks for it
// once more, in the same request as for what is new.
func (s *subaccount) leave(unproven sweep.Set) {
	if len(unproven) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.emptyBefore.Union(unproven)
	s.emptyBefore = was.Minus(was.Minus(s.published.Load().Unread())) // what was read since need not be known
}

// wasEmpty is what was left due by an empty answer.
func (s *subaccount) wasEmpty() sweep.Set {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emptyBefore
}
