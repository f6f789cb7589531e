// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Rule is one line of a fault script: what happens to which requests.
type Rule struct {
	// Name for the ledger. Default: the kind of the fault.
	Name string `json:"name,omitempty"`
	// Match picks requests. The zero value picks all.
	Match Match `json:"match"`
	// Times is how often the fault happens; 0 means always.
	Times int `json:"times,omitempty"`
	// Fault is what happens.
	Fault Fault `json:"fault"`
}

// Match picks requests; every condition that is set must hold. The last three are asked in their order of requests that
// satisfy the others.
type Match struct {
	Kind   Kind   `json:"kind,omitempty"`   // KindToken or KindRecords
	Tenant string `json:"tenant,omitempty"` // tenant id
	// Page is the least page of a retrieval; 1 picks only known pages, 2 only follow-up pages.
	Page int `json:"page,omitempty"`
	// Category picks retrievals that ask for categories.
	Category bool `json:"category,omitempty"`
	// After and Before bound the time since the simulator was made.
	After  Duration `json:"after,omitempty"`
	Before Duration `json:"before,omitempty"`
	// Skip lets the first requests pass.
	Skip int `json:"skip,omitempty"`
	// Every picks each k-th request, beginning with the k-th.
	Every int `json:"every,omitempty"`
	// Chance picks by a seeded draw, from 0 (always) to 1 (always).
	Chance float64 `json:"chance,omitempty"`
}

// Duration is a time.Duration that JSON writes as "1m30s".
type Duration time.Duration

// MarshalText writes the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// ParseScript reads a fault script: a JSON array of rules. Unknown members and faults are errors.
func ParseScript(raw []byte) ([]Rule, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var rules []Rule
	if err := decoder.Decode(&rules); err != nil {
		return nil, fmt.Errorf("fault script: %w", err)
	}
	return rules, checkScript(rules)
}

func checkScript(rules []Rule) error {
	for i, r := range rules {
		if _, known := injections[r.Fault.Kind]; !known {
			return fmt.Errorf("fault script: rule %d: no fault is called %q", i+1, r.Fault.Kind)
		}
		if r.Fault.Kind == FaultStatus && (r.Fault.Status < 200 || r.Fault.Status > 599) {
			return fmt.Errorf("fault script: rule %d: %d is no status of an answer", i+1, r.Fault.Status)
		}
		if k := r.Match.Kind; k != "" && k != KindToken && k != KindRecords {
			return fmt.Errorf("fault script: rule %d: no request is of kind %q", i+1, k)
		}
	}
	return nil
}

// Script replaces the fault script; without rules all is well again. Every rule that picks a request takes part, in order,
// until one of them answers in the server's place. An unknown fault is an error, and the old script stays.
func (s *Simulator) Script(rules ...Rule) error {
	if err := checkScript(rules); err != nil {
		return err
	}
	s.script.load(rules, newDice(s.seed, streamKind-1))
	return nil
}

// script is the fault script at work.
type script struct {
	mu    sync.Mutex
	dice  *dice
	rules []*armed
}

type armed struct {
	Rule
	seen, fired int
}

func (s *script) load(rules []Rule, d *dice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dice, s.rules = d, nil
	for _, r := range rules {
		if r.Name == "" {
			r.Name = string(r.Fault.Kind)
		}
		s.rules = append(s.rules, &armed{Rule: r})
	}
}

// pick gives the rules that take part in an exchange, up to and including the first that answers itself.
func (s *script) pick(x *exchange, age time.Duration) []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Rule
	for _, a := range s.rules {
		if a.Times > 0 && a.fired >= a.Times || !a.Match.holds(x, age) || !injections[a.Fault.Kind].fits(x) {
			continue
		}
		a.seen++
		if a.seen <= a.Match.Skip || a.Match.Every > 1 && (a.seen-a.Match.Skip)%a.Match.Every != 0 {
			continue
		}
		if a.Match.Chance > 0 && !s.dice.chance(a.Match.Chance) {
			continue
		}
		a.fired++
		out = append(out, a.Rule)
		if injections[a.Fault.Kind].instead != nil {
			break
		}
	}
	return out
}

// holds checks the conditions that need no memory.
func (m *Match) holds(x *exchange, age time.Duration) bool {
	switch {
	case x.door == doorElsewhere, x.kind == KindOther, m.Kind != "" && m.Kind != x.kind:
		return false
	case m.Tenant != "" && (x.tenant == nil || x.tenant.id != m.Tenant):
		return false
	case m.Page > 0 && x.page < m.Page:
		return false
	case m.Category && !x.query.Has("category"):
		return false
	case m.After > 0 && age < time.Duration(m.After), m.Before > 0 && age >= time.Duration(m.Before):
		return false
	}
	return true
}
