// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a Simulator. The zero value is one subaccount that behaves as documented.
type Options struct {
	// Seed of all names, secrets, records and delays.
	Seed uint64
	// Subaccounts is their number. Default 1.
	Subaccounts int
	// Landscape is the domain behind all host names. Default "eu10.hana.ondemand.com".
	Landscape string
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Readings of what the documents leave open.
	Readings Readings
	// Lateness of generated records. Default: visible at once.
	Lateness Lateness
	// Retention is the age from which on records are no longer shown. Default 90 days; negative means never.
	Retention time.Duration
	// KeepRequests is how many of the last requests the ledger lists one by one (all are counted). Default 100,000.
	KeepRequests int
}

const (
	defaultLandscape = "eu10.hana.ondemand.com"
	defaultRetention = 90 * 24 * time.Hour
	defaultRange     = 30 * 24 * time.Hour // when a query names neither time_from nor time_to
	defaultRequests  = 100_000
)

// Simulator plays the API. It is safe for concurrent use.
type Simulator struct {
	clock     func() time.Time
	landscape string
	retention time.Duration
	seed      uint64
	lateness  Lateness

	tenants  []*tenant
	byID     map[string]*tenant
	byClient map[string]*tenant
	byHost   map[string]door

	settings  sync.Mutex
	readings  Readings
	secrets   map[string]bool // every secret there ever was
	tokens    tokens
	script    script
	born      time.Time
	ledger    Ledger
	listeners atomic.Pointer[Listeners]
	journal   atomic.Pointer[Journal]
	ca        authority
}

var _ http.Handler = (*Simulator)(nil)

// New makes a Simulator without records.
func New(o Options) *Simulator {
	s := &Simulator{
		clock: o.Now, landscape: o.Landscape, retention: o.Retention, seed: o.Seed, lateness: o.Lateness,
		readings: o.Readings, byID: map[string]*tenant{}, byClient: map[string]*tenant{},
		byHost: map[string]door{}, secrets: map[string]bool{},
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.landscape == "" {
		s.landscape = defaultLandscape
	}
	if s.retention == 0 {
		s.retention = defaultRetention
	}
	names := newDice(o.Seed, 1)
	for i := range max(o.Subaccounts, 1) {
		t := newTenant(names.next(), i)
		s.tenants = append(s.tenants, t)
		s.byID[t.id], s.byClient[t.clientID] = t, t
		s.byHost[s.uaaHost(t)], s.byHost[s.certHost(t)] = doorUAA, doorCert
		s.secrets[t.secret] = true
	}
	s.byHost[s.apiHost()], s.byHost[ElsewhereHost] = doorAPI, doorElsewhere
	s.born = s.now()
	s.tokens.init(newDice(o.Seed, 0))
	s.ledger.init(s, o.KeepRequests)
	return s
}

// Configure changes the readings from the next request on.
func (s *Simulator) Configure(change func(*Readings)) {
	s.settings.Lock()
	defer s.settings.Unlock()
	change(&s.readings)
}

func (s *Simulator) reading() Readings {
	s.settings.Lock()
	defer s.settings.Unlock()
	return s.readings
}

// Ledger gives the book of what exists, what was asked and what was served.
func (s *Simulator) Ledger() *Ledger { return &s.ledger }

func (s *Simulator) now() time.Time { return s.clock() }

// mustTenant finds a subaccount. An unknown one is a mistake in the caller's code.
func (s *Simulator) mustTenant(id string) *tenant {
	t := s.byID[id]
	if t == nil {
		panic("sapbtp: no subaccount has the tenant id " + id)
	}
	return t
}
