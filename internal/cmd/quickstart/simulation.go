// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/completeness"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// What the simulated subaccount has.
const (
	backfillEvents = "10000"
	// backfillDays is a little less than the configuration looks back: the Collector starts later than the services.
	backfillDays  = "29.9"
	eventsASecond = "3"
	// lateness of events, as shares: most are shown within a second or two, some after half a minute. The sweeps of the
	// quickstart's configuration are spaced for it.
	lateness = "85:0s-2s,12:3s-10s,3:10s-40s"
)

// What the simulated SaaS Security has: a queue to begin with, and traffic.
const (
	queuedEvents      = "2000"
	saasEventsASecond = "2"
)

// simulation is the simulated services, which play the vendors' side.
type simulation struct {
	process *program.Process
	log     string
	saas    string // URL of the simulated SaaS Security
	sources []simulated
}

// simulated is a source whose service is simulated, so that it is known what it has.
type simulated struct {
	*source
	ledger interface {
		// Update notes in the source's book what became visible since the last call.
		Update(context.Context) error
	}
}

// readyTimeout is how long the simulated services may take to start: they make the past first.
const readyTimeout = 30 * time.Second

// startSimulation starts the services. The simulated SAP BTP goes on with the ledger in the folder; SaaS Security begins anew,
// so that what it has can be compared only with a folder that is new, too.
func startSimulation(ctx context.Context, path string, f *folder, compareSaaS bool) (*simulation, error) {
	ports, err := program.FreePorts(2)
	if err != nil {
		return nil, err
	}
	address, saas := "127.0.0.1:"+strconv.Itoa(ports[0]), "127.0.0.1:"+strconv.Itoa(ports[1])
	output, err := f.log(simulatorLog)
	if err != nil {
		return nil, err
	}
	defer output.Close() //nolint:errcheck // the program has its own handle of the file
	process, err := program.Start(program.Spec{Path: path, Output: output, Args: []string{
		"-listen", address, "-late", lateness, "-rate", eventsASecond,
		"-backfill", backfillEvents, "-backfill-days", backfillDays,
		"-service-key-file", f.path(keyName), "-ledger", f.path(ledgerName),
		"-saas-listen", saas, "-saas-backlog", queuedEvents, "-saas-rate", saasEventsASecond,
	}})
	if err != nil {
		return nil, err
	}
	s := &simulation{process: process, log: f.path(simulatorLog), saas: "http://" + saas}
	s.sources = []simulated{simulatedSAP("http://" + address)}
	if compareSaaS {
		s.sources = append(s.sources, simulatedSaaS(s.saas))
	}
	if err := s.ready(ctx); err != nil {
		return nil, errors.Join(err, process.Stop())
	}
	return s, nil
}

// simulatedSAP knows its events by their message_uuid. A kill may catch each of the 4 windows that are read in parallel between
// the delivery of a page, of 500 events, and its checkpoint.
func simulatedSAP(url string) simulated {
	s := newComparedSource("sap-btp-audit", risk{repeats: 4 * 500}, attributeID("sap.btp.audit.message_uuid"))
	return simulated{source: s, ledger: completeness.NewSAPLedger(url, s.book)}
}

// simulatedSaaS knows its events by the marker that the simulator puts into one of their fields. A kill may catch each of the
// 10 parallel reads, of 100 events, on the way from the queue, which gives them once, into the spool, or from there to the
// backend.
func simulatedSaaS(url string) simulated {
	s := newComparedSource("saas-security", risk{repeats: 10 * 100, losses: 10 * 100}, func(r plog.LogRecord) string {
		if found := saassecurity.Find([]byte(r.Body().AsString())); len(found) == 1 {
			return saassecurity.Marker(found[0])
		}
		return ""
	})
	return simulated{source: s, ledger: completeness.NewSaaSLedger(url, s.book)}
}

// ready waits until the services answer.
func (s *simulation) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		err := s.update(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.process.Done():
			return s.check()
		case <-ctx.Done():
			return failed("the simulated services do not answer", err, s.log)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// update brings all ledgers up to date.
func (s *simulation) update(ctx context.Context) error {
	for _, src := range s.sources {
		if err := src.ledger.Update(ctx); err != nil {
			return err
		}
	}
	return nil
}

var errEnded = errors.New("without an error of its own")

// check tells whether the services are still there.
func (s *simulation) check() error {
	if s.process.Running() {
		return nil
	}
	err := s.process.Err()
	if err == nil {
		err = errEnded
	}
	return failed("the simulated services ended", err, s.log)
}

func (s *simulation) stop() error { return s.process.Stop() }
