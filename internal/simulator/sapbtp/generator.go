// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"encoding/json"
	"time"
)

// Record is a single record for Add. The zero value is a record of the present moment, visible at once.
type Record struct {
	// Time of the event. Default: the member "time" of JSON, else now.
	Time time.Time
	// VisibleAt is when the API begins to show it. Default: Time.
	VisibleAt time.Time
	// Category picks the producer where JSON is empty, and is what the category filter sees. Default: the member "category"
	// of JSON, else CategorySecurity.
	Category string
	// ID is what the ledger calls a record with JSON. Default: its member "message_uuid", else a generated one.
	ID string
	// JSON is the outer record as served, byte for byte; it need not be valid. Default: a generated record.
	JSON []byte
}

// Add puts single records into a subaccount and returns their ids. It panics where there is no such subaccount.
func (s *Simulator) Add(tenantID string, records ...Record) []string {
	t := s.mustTenant(tenantID)
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = s.addOne(t, r)
	}
	return ids
}

func (s *Simulator) addOne(t *tenant, r Record) string {
	if len(r.JSON) > 0 {
		r = r.completed()
	}
	if r.Time.IsZero() {
		r.Time = s.now()
	}
	if r.VisibleAt.IsZero() {
		r.VisibleAt = r.Time
	}
	e := entry{at: r.Time.UnixMilli(), visible: r.VisibleAt.UnixMilli()}
	if len(r.JSON) == 0 {
		e.kind, r.ID = kindFor(r.Category), ""
	}
	return s.insert(t, e, given{id: r.ID, category: r.Category, json: r.JSON})
}

// completed fills in what the record's bytes say themselves.
func (r Record) completed() Record {
	var said struct {
		ID       string    `json:"message_uuid"`
		Time     time.Time `json:"time"`
		Category string    `json:"category"`
	}
	// Bytes that are no JSON are a fair test: what cannot be read from them then comes from the other fields.
	if json.Unmarshal(r.JSON, &said) != nil {
		return r
	}
	if r.ID == "" {
		r.ID = said.ID
	}
	if r.Time.IsZero() {
		r.Time = said.Time
	}
	if r.Category == "" {
		r.Category = said.Category
	}
	return r
}

// insert puts one entry into the store, with its bytes where its kind has none, and returns its id.
func (s *Simulator) insert(t *tenant, e entry, g given) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.insertLocked(t, e, g)
}

// insertLocked is insert for a caller who holds the store's lock.
func (s *Simulator) insertLocked(t *tenant, e entry, g given) string {
	ordinal := t.append(e)
	id := g.id
	if id == "" {
		id = string(t.appendID(nil, ordinal, e.kind))
	}
	if e.kind == kindGiven {
		t.given[ordinal] = &given{id: id, category: g.category, json: g.json}
	}
	s.journal.Load().write(line{
		Op: "add", Tenant: t.id, Producer: producers[e.kind].name, At: e.at, Visible: e.visible,
		ID: g.id, Category: g.category, Body: g.json,
	})
	return id
}

// Generate adds n seeded records of all categories and producers, spread over [from, to), and becoming visible as
// Options.Lateness says. With from equal to to they all have one and the same time. It panics where there is no such
// subaccount.
func (s *Simulator) Generate(tenantID string, n int, from, to time.Time) {
	s.generate(s.mustTenant(tenantID), n, from, to, s.lateness)
}

func (s *Simulator) generate(t *tenant, n int, from, to time.Time, late Lateness) {
	if n <= 0 {
		return
	}
	// Without the monotonic clock, of which a journal knows nothing.
	from, to = from.Round(0), to.Round(0)
	t.mu.Lock()
	defer t.mu.Unlock()
	first := uint64(len(t.entries))
	start, span := from.UnixMilli(), max(to.Sub(from), 0)
	batch := make([]entry, 0, n)
	for i := 0; i < n; i++ {
		d := newDice(t.seed, streamKind|(first+uint64(len(batch))))
		// One record in each slice of the range: in order already, and even enough.
		offset := time.Duration((float64(i) + d.float()) / float64(n) * float64(span))
		e := entry{at: start + offset.Milliseconds(), kind: drawKind(d)}
		if e.kind == kindSAML && i+1 < n {
			e.part = 1
			batch = append(batch, t.delayed(e, first+uint64(len(batch)), late))
			e.part = 2
			i++
		} else if e.kind == kindSAML {
			e.kind = kindUAAClient
		}
		batch = append(batch, t.delayed(e, first+uint64(len(batch)), late))
	}
	t.append(batch...)
	s.journal.Load().write(line{Op: "generate", Tenant: t.id, Count: n, From: &from, To: &to, Late: late.String()})
}

// delayed sets when a record becomes visible.
func (t *tenant) delayed(e entry, ordinal uint64, late Lateness) entry {
	e.visible = e.at
	if len(late) > 0 {
		e.visible += late.draw(newDice(t.seed, streamDelay|ordinal)).Milliseconds()
	}
	return e
}
