// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"time"
)

// Entry is one record of the ledger.
type Entry struct {
	Tenant    string
	ID        string // message_uuid, or the ID given to Add
	Time      time.Time
	VisibleAt time.Time
	Category  string
	Producer  string // for instance "uaa-token"; "given" for records that Add got as bytes
	Served    int    // how often it was part of an answer that was sent in full

	tenant  *tenant
	ordinal uint32
}

// Body gives the record as the API shows it.
func (e Entry) Body() []byte { return e.tenant.rows([]uint32{e.ordinal}, MessageString)[0] }

// Digest gives the SHA-256 of Body in hexadecimal.
func (e Entry) Digest() string {
	sum := sha256.Sum256(e.Body())
	return hex.EncodeToString(sum[:])
}

// Filter picks entries of the ledger.
type Filter func(*Entry) bool

// InTenant picks the records of one subaccount.
func InTenant(id string) Filter { return func(e *Entry) bool { return e.Tenant == id } }

// InCategory picks the records of one category.
func InCategory(category string) Filter { return func(e *Entry) bool { return e.Category == category } }

// VisibleBy picks what the API showed at that moment.
func VisibleBy(at time.Time) Filter { return func(e *Entry) bool { return !e.VisibleAt.After(at) } }

// Between picks records with from <= time < to.
func Between(from, to time.Time) Filter {
	return func(e *Entry) bool { return !e.Time.Before(from) && e.Time.Before(to) }
}

// Entries walks over what exists at the time of the call, subaccount after subaccount, in the order in which it came into
// being, as far as it satisfies all filters.
func (l *Ledger) Entries(filters ...Filter) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, t := range l.sim.tenants {
			wanted := func(e Entry) bool { return !matches(&e, filters) || yield(e) }
			if !t.walk(func(*entry) bool { return true }, wanted) {
				return
			}
		}
	}
}

// walk hands over the entries that satisfy keep. It copies them by chunks, so that requests go on meanwhile.
func (t *tenant) walk(keep func(*entry) bool, yield func(Entry) bool) bool {
	const chunk = 1024
	var entries [chunk]entry
	var own [chunk]*given
	for first, size := 0, t.size(); first < size; first += chunk {
		n := min(chunk, size-first)
		t.mu.Lock()
		copy(entries[:n], t.entries[first:])
		for i := range n {
			own[i] = t.given[uint32(first+i)]
		}
		t.mu.Unlock()
		for i := range n {
			if keep(&entries[i]) && !yield(t.describe(uint32(first+i), &entries[i], own[i])) {
				return false
			}
		}
	}
	return true
}

func (t *tenant) describe(ordinal uint32, e *entry, g *given) Entry {
	out := Entry{
		Tenant: t.id, Time: e.time(), VisibleAt: time.UnixMilli(e.visible).UTC(), Category: e.kind.category(),
		Producer: producers[e.kind].name, Served: int(e.served), tenant: t, ordinal: ordinal,
	}
	if g != nil {
		out.ID, out.Category = g.id, g.category
		return out
	}
	var buf [36]byte
	out.ID = string(t.appendID(buf[:0], ordinal, e.kind))
	return out
}

func matches(e *Entry, filters []Filter) bool {
	for _, f := range filters {
		if !f(e) {
			return false
		}
	}
	return true
}

// Count gives the number of entries that satisfy all filters.
func (l *Ledger) Count(filters ...Filter) int {
	n := 0
	for range l.Entries(filters...) {
		n++
	}
	return n
}

// IDs lists the ids of the entries that satisfy all filters.
func (l *Ledger) IDs(filters ...Filter) []string {
	var out []string
	for e := range l.Entries(filters...) {
		out = append(out, e.ID)
	}
	return out
}

// Missing lists the ids of entries that satisfy all filters and are not among those delivered.
func (l *Ledger) Missing(delivered []string, filters ...Filter) []string {
	have := setOf(delivered)
	var out []string
	for e := range l.Entries(filters...) {
		if _, ok := have[e.ID]; !ok {
			out = append(out, e.ID)
		}
	}
	return out
}

// Unexpected lists ids that were delivered and do not exist.
func (l *Ledger) Unexpected(delivered []string) []string {
	unknown := setOf(delivered)
	for e := range l.Entries() {
		delete(unknown, e.ID)
	}
	var out []string
	for _, id := range delivered {
		if _, ok := unknown[id]; ok {
			out = append(out, id)
			delete(unknown, id)
		}
	}
	return out
}

// Duplicates gives the ids that were delivered more than once than they exist, with the number of surplus deliveries.
func (l *Ledger) Duplicates(delivered []string) map[string]int {
	surplus := map[string]int{}
	for _, id := range delivered {
		surplus[id]++
	}
	for e := range l.Entries() {
		surplus[e.ID]--
	}
	for id, n := range surplus {
		if n <= 0 {
			delete(surplus, id)
		}
	}
	for _, id := range l.Unexpected(delivered) {
		if surplus[id]--; surplus[id] <= 0 {
			delete(surplus, id)
		}
	}
	return surplus
}

func setOf(ids []string) map[string]struct{} {
	set := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return set
}
