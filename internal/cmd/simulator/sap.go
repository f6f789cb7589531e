// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// sap is SAP BTP's audit log retrieval.
type sap struct {
	listen       string
	seed         uint64
	subaccounts  int
	backfill     int
	backfillDays float64
	rate         float64
	late         string
	fault        string
	limit        sapbtp.RateLimit
	own          bool
	tls, mtls    bool
	ledger       string
	keyFile      string
	keyDir       string
	caFile       string

	sim       *sapbtp.Simulator
	live      *sapbtp.Live
	listeners *sapbtp.Listeners
	journal   *sapbtp.Journal
}

// tick is how often live traffic is made.
const tick = 250 * time.Millisecond

func (s *sap) flags(set *flag.FlagSet) {
	set.StringVar(&s.listen, "listen", "127.0.0.1:0", "SAP: `address` for plain http")
	set.Uint64Var(&s.seed, "seed", 1, "SAP: `seed` of all names, secrets and records")
	set.IntVar(&s.subaccounts, "subaccounts", 1, "SAP: `number` of subaccounts")
	set.IntVar(&s.backfill, "backfill", 0, "SAP: `number` of records of the past, all subaccounts together")
	set.Float64Var(&s.backfillDays, "backfill-days", 30, "SAP: how many `days` the past is long")
	set.Float64Var(&s.rate, "rate", 1, "SAP: new `events` per second, all subaccounts together")
	set.StringVar(&s.late, "late", "85:0s-10s,12:10s-1m,3:1m-5m", "SAP: how long after their time records become visible, as `weight:min-max,…`")
	set.StringVar(&s.fault, "fault", "none", "SAP: fault `presets`, separated by commas ("+strings.Join(sapbtp.PresetNames(), ", ")+"), or a file with a script")
	set.Float64Var(&s.limit.PerSecond, "requests-per-second", sapbtp.FastRegion.PerSecond, "SAP: rate `limit` of retrievals per subaccount; 0 for none")
	set.IntVar(&s.limit.Burst, "burst", sapbtp.FastRegion.Burst, "SAP: `number` of retrievals that may wait for their turn before 429")
	set.BoolVar(&s.own, "own-records", true, "SAP: write the records that retrievals and logins cause")
	set.BoolVar(&s.tls, "tls", false, "SAP: listen for https, too, and name it in the service keys")
	set.BoolVar(&s.mtls, "mtls", false, "SAP: listen for tokens by client certificate, and write service keys with a certificate")
	set.StringVar(&s.ledger, "ledger", "", "SAP: `file` that keeps the ledger over restarts")
	set.StringVar(&s.keyFile, "service-key-file", "", "SAP: `file` to write the first subaccount's service key to")
	set.StringVar(&s.keyDir, "service-key-dir", "", "SAP: `directory` to write one service key per subaccount to")
	set.StringVar(&s.caFile, "ca-file", "", "SAP: `file` to write the CA of the listeners to")
}

func (s *sap) start(out io.Writer) error {
	if err := s.create(); err != nil {
		return err
	}
	if err := s.records(out); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "sap: %d subaccounts at %s\n", s.subaccounts, s.listeners.URL)
	return err
}

// create makes the simulator that the flags describe.
func (s *sap) create() error {
	late, err := sapbtp.ParseLateness(s.late)
	if err != nil {
		return err
	}
	rules, err := faults(s.fault)
	if err != nil {
		return err
	}
	s.sim = sapbtp.New(sapbtp.Options{
		Seed: s.seed, Subaccounts: s.subaccounts, Lateness: late,
		Readings: sapbtp.Readings{OwnRecords: s.own, RateLimit: s.limit},
	})
	return s.sim.Script(rules...)
}

// open begins to listen, and then tells where in the service keys.
func (s *sap) open() error {
	var err error
	s.listeners, err = s.sim.Start(sapbtp.StartOptions{
		Listen: s.listen, TLS: s.tls, MutualTLS: s.mtls, Elsewhere: true,
		Handler: func(http.Handler) http.Handler { return s.sim.Admin() },
	})
	if err != nil {
		return err
	}
	s.live = s.sim.Live(s.rate)
	return s.writeKeys()
}

// records opens the ledger and makes the past, if there is none yet.
func (s *sap) records(out io.Writer) error {
	if s.ledger != "" {
		var err error
		if s.journal, err = s.sim.OpenJournal(s.ledger); err != nil {
			return err
		}
	}
	if known := s.sim.Ledger().Summary().Records; known > 0 {
		_, err := fmt.Fprintf(out, "sap: continuing with %d records\n", known)
		return err
	}
	now := time.Now()
	from := now.Add(-time.Duration(s.backfillDays * 24 * float64(time.Hour)))
	subs := s.sim.Subaccounts()
	for i, sub := range subs {
		share := s.backfill / len(subs)
		if i < s.backfill%len(subs) {
			share++
		}
		s.sim.Generate(sub.Tenant, share, from, now)
	}
	return nil
}

// faults reads a script file, or puts presets together.
func faults(text string) ([]sapbtp.Rule, error) {
	if raw, err := os.ReadFile(text); err == nil {
		return sapbtp.ParseScript(raw)
	}
	var out []sapbtp.Rule
	for name := range strings.SplitSeq(text, ",") {
		rules, err := sapbtp.Preset(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		out = append(out, rules...)
	}
	return out, nil
}

func (s *sap) writeKeys() error {
	style := sapbtp.SecretKey
	if s.mtls {
		style = sapbtp.X509Key
	}
	var errs []error
	if s.keyFile != "" {
		errs = append(errs, writeFile(s.keyFile, s.sim.Subaccount(0).ServiceKey(style)))
	}
	if s.keyDir != "" {
		errs = append(errs, os.MkdirAll(s.keyDir, 0o700))
		for _, sub := range s.sim.Subaccounts() {
			errs = append(errs, writeFile(filepath.Join(s.keyDir, sub.Subdomain+".json"), sub.ServiceKey(style)))
		}
	}
	if s.caFile != "" {
		errs = append(errs, writeFile(s.caFile, s.sim.CACertificate()))
	}
	return errors.Join(errs...)
}

// writeFile replaces a file at once, so that nobody reads half a key.
func writeFile(path string, data []byte) error {
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, data, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

func (s *sap) run(ctx context.Context) { s.live.Run(ctx, tick) }

func (s *sap) stop() error {
	var errs []error
	if s.listeners != nil {
		errs = append(errs, s.listeners.Close())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	return errors.Join(errs...)
}
