// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// retrievals is the open retrievals of one subaccount, by handle.
type retrievals struct {
	mu       sync.Mutex
	dice     *dice
	sessions map[string]*session
	order    []string // handles, oldest first
	held     int      // ordinals held by all of them, each list counted once a handle
}

// meanRecord is a little above the usual size of a record.
const meanRecord = 1300

// maxHeld bounds the memory of forgotten retrievals of a subaccount: their handles then expire, oldest first.
const maxHeld = 8 << 20

// session is one step of a retrieval: what its handle stands for.
type session struct {
	asked  question
	list   []uint32 // snapshot in the order of the answer; nil for a live view
	offset int
	page   int
	made   time.Time
	uses   int
}

// pageOf tells which page a handle leads to; 0 where it leads nowhere.
func (r *retrievals) pageOf(handle string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.find(handle); s != nil {
		return s.page
	}
	return 0
}

// find looks a handle up, as sent and as meant where it was sent in escaped form; the caller holds the lock.
func (r *retrievals) find(handle string) *session {
	if s := r.sessions[handle]; s != nil {
		return s
	}
	return r.sessions[strings.ReplaceAll(handle, "<", "%3C")]
}

// begin opens a retrieval.
func (s *Simulator) begin(x *exchange, q question) *session {
	first := &session{asked: q, page: 1, made: x.at}
	if x.readings.Paging == Snapshot {
		first.list = x.tenant.visible(x, q)
	}
	return first
}

// visible lists what a question finds now, in the order of the answer.
func (t *tenant) visible(x *exchange, q question) []uint32 {
	now := x.at.UnixMilli()
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.window(q.from, q.to, func(ordinal uint32, e *entry) bool {
		return e.visible <= now && (q.categories == nil || slices.Contains(q.categories, t.categoryOf(ordinal, e)))
	})
	switch x.readings.Order {
	case NewestFirst:
		slices.Reverse(list)
	case Shuffled:
		slices.SortFunc(list, func(a, b uint32) int {
			return cmp.Compare(scramble(t.seed^uint64(a)), scramble(t.seed^uint64(b)))
		})
	case OldestFirst:
	}
	return list
}

// categoryOf gives the category of a record; the caller holds the store's lock.
func (t *tenant) categoryOf(ordinal uint32, e *entry) string {
	if g := t.given[ordinal]; g != nil {
		return g.category
	}
	return e.kind.category()
}

// resume takes a retrieval up again. The second result says why it cannot.
func (t *tenant) resume(x *exchange, q question) (*session, string) {
	t.reads.mu.Lock()
	defer t.reads.mu.Unlock()
	found := t.reads.find(x.query.Get("handle"))
	if found == nil {
		return nil, "handle is unknown"
	}
	switch x.readings.FollowUp {
	case HandleAlone:
		if q.fromText != "" || q.toText != "" {
			return nil, "handle must come alone"
		}
	case HandleWithTimes:
		if q.fromText != found.asked.fromText || q.toText != found.asked.toText {
			return nil, "time_from and time_to must be those of the first page"
		}
	case HandleAndMaybeTimes:
	}
	if x.readings.HandleAge > 0 && x.at.Sub(found.made) > x.readings.HandleAge {
		return nil, "handle has expired"
	}
	if x.readings.HandleUses > 0 && found.uses >= x.readings.HandleUses {
		return nil, "handle was used up"
	}
	found.uses++
	return found, ""
}

// page gives the rows of one step and the handle of the next.
func (t *tenant) page(x *exchange) *reply {
	at := x.step
	list := at.list
	if list == nil {
		list = t.visible(x, at.asked)
	}
	start := min(at.offset, len(list))
	end := min(start+pageSize, len(list))
	if start == end && !x.readings.EmptyArray {
		r := newReply(http.StatusNoContent, "", nil)
		r.page = &page{}
		return r
	}
	r := newReply(http.StatusOK, typeJSON, nil)
	r.page = &page{ordinals: list[start:end], rows: t.rows(list[start:end], x.readings.Messages)}
	if end < len(list) || x.readings.TrailingHandle && end-start == pageSize {
		next := &session{asked: at.asked, list: at.list, offset: end, page: at.page + 1, made: x.at}
		r.page.hasNext, r.page.handle = true, t.reads.keep(next, t.timeOf(list[end-1]), x.readings.Handles)
	} else if x.readings.EmptyHandle {
		r.page.hasNext = true
	}
	return r
}

// keep files a step under a new handle.
func (r *retrievals) keep(s *session, at time.Time, form HandleForm) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	handle := r.name(form, at)
	r.sessions[handle] = s
	r.order = append(r.order, handle)
	r.held += s.weight()
	for r.held > maxHeld && len(r.order) > 1 {
		r.held -= r.sessions[r.order[0]].weight()
		delete(r.sessions, r.order[0])
		r.order = r.order[1:]
	}
	return handle
}

// weight is what a step holds in memory, in ordinals. The steps of a retrieval share one list, of which each counts its page.
func (s *session) weight() int { return min(pageSize, max(len(s.list)-s.offset, 0)) + 64 }

func (r *retrievals) name(form HandleForm, at time.Time) string {
	id := r.dice.uuid()
	switch form {
	case HandleTimeID:
		return at.Format(outerTime) + "<" + id
	case HandleTimeIDTime:
		return at.Format(outerTime) + "<" + id + "<" + at.Format(outerTime)
	case HandleTimeEscaped:
		return at.Format(outerTime) + "%3C" + id
	default:
		return base64.StdEncoding.EncodeToString(append(r.dice.bytes(38), 0xfb, 0xff))
	}
}

func (t *tenant) timeOf(ordinal uint32) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.entries[ordinal].time()
}

// rows writes records. The lock is held only while their entries are copied.
func (t *tenant) rows(ordinals []uint32, form MessageForm) [][]byte {
	entries := make([]entry, len(ordinals))
	rows := make([][]byte, len(ordinals))
	t.mu.Lock()
	for i, o := range ordinals {
		entries[i] = t.entries[o]
		if g := t.given[o]; g != nil {
			rows[i] = g.json
		}
	}
	t.mu.Unlock()
	asObject := func(o uint32) bool { return form == MessageObject || form == MessageMixed && o%2 == 0 }
	missing := 0
	for i, o := range ordinals {
		if rows[i] == nil {
			rows[i] = t.written.find(o, asObject(o))
		}
		if rows[i] == nil {
			missing++
		}
	}
	buffer := make([]byte, 0, missing*meanRecord)
	writer := &record{t: t, inner: begin(), whole: begin()}
	for i, o := range ordinals {
		if rows[i] != nil {
			continue
		}
		start := len(buffer)
		buffer = writer.append(buffer, o, entries[i], asObject(o))
		rows[i] = buffer[start:len(buffer):len(buffer)]
		t.written.keep(o, asObject(o), rows[i])
	}
	return rows
}
