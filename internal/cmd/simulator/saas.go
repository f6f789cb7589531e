// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// saas is Palo Alto Networks' SaaS Security. It is left out unless it is given an address.
type saas struct {
	listen  string
	rate    float64
	backlog int
	mixed   bool
	faults  string
	options saassecurity.Options

	sim *saassecurity.Simulator
}

func (s *saas) flags(set *flag.FlagSet) {
	o := &s.options
	set.StringVar(&s.listen, "saas-listen", "", "SaaS Security: `address` for plain http; empty leaves the service out")
	set.StringVar(&o.ClientID, "saas-client-id", saassecurity.DefaultClientID, "SaaS Security: accepted client `id`")
	set.StringVar(&o.ClientSecret, "saas-client-secret", saassecurity.DefaultClientSecret, "SaaS Security: accepted client `secret`")
	set.Uint64Var(&o.Seed, "saas-seed", 1, "SaaS Security: `seed` of events, replies and faults")
	set.Float64Var(&s.rate, "saas-rate", 1, "SaaS Security: new `events` per second")
	set.IntVar(&s.backlog, "saas-backlog", 0, "SaaS Security: `number` of events that wait at the start")
	set.DurationVar(&o.LongPoll, "saas-long-poll", 0, "SaaS Security: how much `time` a read of an empty queue waits")
	set.DurationVar(&o.Latency, "saas-latency", 0, "SaaS Security: `time` that every read takes at least")
	set.DurationVar(&o.Expiry, "saas-expiry", saassecurity.DefaultExpiry, "SaaS Security: `time` after which unread events are gone")
	set.DurationVar(&o.TokenLifetime, "saas-token-lifetime", saassecurity.DefaultTokenLifetime, "SaaS Security: `time` after which tokens are refused")
	set.Float64Var(&o.ShortReplies, "saas-short-replies", 0, "SaaS Security: `share` of replies, 0 to 1, with fewer events than wait")
	set.BoolVar(&s.mixed, "saas-mixed-shapes", false, "SaaS Security: reply in every attested shape by turns")
	set.StringVar(&s.faults, "saas-faults", "", "SaaS Security: fault `rules`, for instance mix=0.01; reset=after chance=0.05; token status=503 times=2")
}

func (s *saas) start(out io.Writer) error {
	if s.listen == "" {
		return nil
	}
	var err error
	if s.options.Rules, err = saassecurity.ParseRules(s.faults); err != nil {
		return err
	}
	if s.mixed {
		s.options.Shape, s.options.Empty = saassecurity.ShapeMixed, saassecurity.EmptyMixed
	}
	s.sim = saassecurity.New(s.options)
	s.sim.Enqueue(max(0, s.backlog))
	url, err := s.sim.Start(context.Background(), s.listen)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "saas: API at %s, ledger at %s%sledger\n", url, url, saassecurity.AdminPath)
	return err
}

func (s *saas) run(ctx context.Context) {
	if s.sim != nil {
		s.sim.Run(ctx, s.rate)
	}
}

func (s *saas) stop() error {
	if s.sim != nil {
		s.sim.Close()
	}
	return nil
}
