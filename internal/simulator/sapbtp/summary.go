// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"maps"
	"time"
)

// Summary is the ledger in numbers.
type Summary struct {
	Seed     uint64          `json:"seed"`
	Time     time.Time       `json:"time"`
	Records  int             `json:"records"`
	Visible  int             `json:"visible"`
	Served   int             `json:"served"`   // records that were part of at least one complete answer
	Answers  map[string]int  `json:"answers"`  // by kind and status of the request, for instance "records 200"
	MaxRate  int             `json:"max_rate"` // greatest number of retrievals of one subaccount within one second
	Leaks    int             `json:"leaks"`
	Newest   *time.Time      `json:"newest,omitempty"` // time of the newest record that is visible
	Accounts []TenantSummary `json:"subaccounts"`
}

// TenantSummary is the ledger of one subaccount in numbers.
type TenantSummary struct {
	Tenant     string         `json:"tenant"`
	Subdomain  string         `json:"subdomain"`
	Records    int            `json:"records"`
	Visible    int            `json:"visible"`
	Served     int            `json:"served"`
	Repeated   int            `json:"repeated"` // surplus servings, as overlaps and repeats cause
	MaxRate    int            `json:"max_rate"`
	Newest     *time.Time     `json:"newest,omitempty"`
	Categories map[string]int `json:"categories"` // of the visible records
}

// Summary gives the ledger in numbers.
func (l *Ledger) Summary() Summary {
	now := l.sim.now()
	out := Summary{Seed: l.sim.seed, Time: now.UTC()}
	for _, t := range l.sim.tenants {
		a := t.summary(now.UnixMilli())
		a.MaxRate = l.MaxRate(t.id)
		out.Records += a.Records
		out.Visible += a.Visible
		out.Served += a.Served
		out.MaxRate = max(out.MaxRate, a.MaxRate)
		if a.Newest != nil && (out.Newest == nil || a.Newest.After(*out.Newest)) {
			out.Newest = a.Newest
		}
		out.Accounts = append(out.Accounts, a)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	out.Answers, out.Leaks = maps.Clone(l.statuses), len(l.leaks)
	return out
}

func (t *tenant) summary(now int64) TenantSummary {
	out := TenantSummary{Tenant: t.id, Subdomain: t.subdomain, Categories: map[string]int{}}
	t.mu.Lock()
	defer t.mu.Unlock()
	var newest int64
	for i := range t.entries {
		e := &t.entries[i]
		out.Records++
		if e.served > 0 {
			out.Served++
			out.Repeated += int(e.served) - 1
		}
		if e.visible <= now {
			out.Visible++
			out.Categories[t.categoryOf(uint32(i), e)]++
			newest = max(newest, e.at)
		}
	}
	if out.Visible > 0 {
		at := time.UnixMilli(newest).UTC()
		out.Newest = &at
	}
	return out
}
