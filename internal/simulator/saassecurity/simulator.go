// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Defaults of [Options].
const (
	DefaultClientID      = "sim-saas-client"
	DefaultClientSecret  = "sim-saas-secret-canary" //nolint:gosec // a made-up secret of a simulator
	DefaultExpiry        = time.Hour
	DefaultTokenLifetime = 7199 * time.Second
	DefaultTenant        = "serial-0001"
)

// MaxBatch is the largest number of events a bulk reply holds, whatever size
// the caller asks for.
const MaxBatch = 100

// Options of a [Simulator]. The zero value plays the API as documented.
type Options struct {
	// Seed of everything random: events, replies and faults.
	Seed uint64
	// ClientID and ClientSecret are the accepted credentials. Default
	// [DefaultClientID] and [DefaultClientSecret].
	ClientID, ClientSecret string
	// Tenant is the serial in the generated events. Default [DefaultTenant].
	Tenant string

	// TokenLifetime until a token is refused. Default [DefaultTokenLifetime].
	TokenLifetime time.Duration
	// OmitExpiresIn leaves the lifetime out of the token reply.
	OmitExpiresIn bool
	// BareToken leaves the fields out of the token reply that nobody attests.
	BareToken bool
	// OneToken makes a new token end the older ones.
	OneToken bool

	// Expiry is how long an event waits to be read. Default [DefaultExpiry].
	Expiry time.Duration
	// LongPoll is how long a read of an empty queue waits before it answers
	// that nothing is there. Default 0: it answers at once. The vendor's wait
	// is up to 20 seconds.
	LongPoll time.Duration
	// Deaf makes a read wait on when its client has left, and then take events that nobody gets. Whether the vendor's server
	// notices is not known; by default it does.
	Deaf bool
	// Latency of every read, spent before events are taken.
	Latency time.Duration

	// Shape of the replies with events; default [ShapeObject].
	Shape Shape
	// Empty is the shape of the replies without events; default [EmptyStatus].
	Empty Empty
	// HonorSize makes a size parameter below [MaxBatch] count.
	HonorSize bool
	// ShortReplies is the share of reads, 0 to 1, that get fewer events than
	// the queue could give.
	ShortReplies float64
	// Requeue puts a batch back whose reply broke off. Nobody knows whether
	// the vendor does; the default is the bad case.
	Requeue bool

	// Rules are the faults to begin with. See [Simulator.AddRules].
	Rules []Rule
}

// Simulator of the API. Create it with [New], close it with [Simulator.Close].
// All methods may be called at any time from any goroutine.
type Simulator struct {
	opts    Options
	servers servers

	mu       sync.Mutex
	random   *rand.Rand
	queue    queue
	arrived  chan struct{} // closed and replaced when events arrive
	rules    []*activeRule
	secret   string
	tokens   map[string]token
	tokenLog []TokenRequest
	wrong    []Misplaced
	reads    []*read
	uses     map[string]int // requests by connection
}

// New returns a simulator with an empty queue.
func New(opts Options) *Simulator {
	opts.ClientID = cmp.Or(opts.ClientID, DefaultClientID)
	opts.ClientSecret = cmp.Or(opts.ClientSecret, DefaultClientSecret)
	opts.Tenant = cmp.Or(opts.Tenant, DefaultTenant)
	opts.TokenLifetime = cmp.Or(opts.TokenLifetime, DefaultTokenLifetime)
	opts.Expiry = cmp.Or(opts.Expiry, DefaultExpiry)
	s := &Simulator{
		opts:    opts,
		random:  rand.New(rand.NewPCG(opts.Seed, 0)),
		arrived: make(chan struct{}),
		secret:  opts.ClientSecret,
		tokens:  map[string]token{},
		uses:    map[string]int{},
	}
	s.queue = queue{expiry: opts.Expiry, generator: generator{seed: opts.Seed, tenant: opts.Tenant}}
	s.AddRules(opts.Rules...)
	return s
}

// Enqueue adds n generated events and returns the number of the first. Events
// are numbered from 1 on without gaps.
func (s *Simulator) Enqueue(n int) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.queue.next()
	now := time.Now()
	for range n {
		s.queue.add(now, nil)
	}
	s.wake()
	return first
}

// EnqueueRaw adds events with the given bytes, which are served as they are,
// and returns the number of the first.
func (s *Simulator) EnqueueRaw(events ...string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.queue.next()
	now := time.Now()
	for _, e := range events {
		s.queue.add(now, []byte(e))
	}
	s.wake()
	return first
}

// Event returns the bytes of the event with that number as they are served, or
// nil if there is none.
func (s *Simulator) Event(number int64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < 1 || number >= s.queue.next() {
		return nil
	}
	return s.queue.bytes(number)
}

// Run adds events at a steady rate until the context ends.
func (s *Simulator) Run(ctx context.Context, perSecond float64) {
	const step = 100 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	start, added := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if due := int(time.Since(start).Seconds() * perSecond); due > added {
				s.Enqueue(due - added)
				added = due
			}
		}
	}
}

// AddRules appends faults to those that are in force.
func (s *Simulator) AddRules(rules ...Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rules {
		s.rules = append(s.rules, &activeRule{Rule: r})
	}
}

// ClearRules ends all faults.
func (s *Simulator) ClearRules() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// ServeHTTP plays the API.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.noteMisplaced(r)
	switch r.URL.Path {
	case pathToken:
		s.serveToken(w, r)
	case pathBulk, pathSingle:
		s.serveRead(w, r)
	default:
		http.NotFound(w, r)
	}
}

// wake ends the long polls that are waiting. The caller holds the lock.
func (s *Simulator) wake() {
	close(s.arrived)
	s.arrived = make(chan struct{})
}
