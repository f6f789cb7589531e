// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/completeness"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/otlplines"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// stand is a test stand: a simulated SAP BTP and SaaS Security, a Collector that reads them with the quickstart's
// configuration, and for each a book of what is there and what arrived.
type stand struct {
	t         *testing.T
	dir       string
	env       []string
	args      []string
	collector *program.Process
	simulator string // URL of the simulated SAP BTP
	book      *completeness.Book
	ledger    *completeness.SAPLedger
	sink      *otlplines.Follower
	saas      *completeness.Book
	queue     *completeness.SaaSLedger
	extra     int // records that arrived and are no events, such as announced gaps
}

// newStand starts the simulator. The overrides are added to the quickstart's configuration.
func newStand(t *testing.T, overrides, simulator []string) *stand {
	t.Helper()
	s := &stand{t: t, dir: t.TempDir(), book: completeness.NewBook(), saas: completeness.NewBook()}
	ports, err := program.FreePorts(4)
	require.NoError(t, err)
	queue := "127.0.0.1:" + strconv.Itoa(ports[3])
	s.queue = completeness.NewSaaSLedger("http://"+queue, s.saas)
	s.env = []string{
		"RUN_DIR=" + s.dir, "OTLP_PORT=" + strconv.Itoa(ports[0]), "METRICS_PORT=" + strconv.Itoa(ports[1]),
		"SAAS_URL=http://" + queue, "SAAS_CLIENT_ID=" + saassecurity.DefaultClientID,
		"SAAS_CLIENT_SECRET=" + saassecurity.DefaultClientSecret,
	}
	s.args = []string{"--config", quickstartConfig()}
	for _, o := range overrides {
		s.args = append(s.args, "--config", "yaml:"+o)
	}
	address := "127.0.0.1:" + strconv.Itoa(ports[2])
	s.simulator = "http://" + address
	s.ledger = completeness.NewSAPLedger(s.simulator, s.book)
	s.sink = otlplines.Follow(s.path("events.jsonl"))
	t.Cleanup(func() { require.NoError(t, s.sink.Close()) })
	process := s.run(distribution.Program(t, "simulator"), "simulator.log", append([]string{
		"-listen", address, "-service-key-file", s.path("sap-service-key.json"),
		"-saas-listen", queue, "-saas-backlog", "2000", "-saas-rate", "20",
	}, simulator...)...)
	t.Cleanup(process.Kill)
	s.within(time.Minute, "the simulator answers", func() bool {
		require.True(t, process.Running(), strings.Join(program.LastLines(s.path("simulator.log"), 5), "\n"))
		return s.ledger.Update(t.Context()) == nil
	})
	return s
}

func (s *stand) path(name string) string { return filepath.Join(s.dir, name) }

// run starts a program with its output in a file.
func (s *stand) run(path, log string, args ...string) *program.Process {
	s.t.Helper()
	file, err := os.OpenFile(s.path(log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(s.t, err)
	defer file.Close()
	p, err := program.Start(program.Spec{Path: path, Args: args, Env: s.env, Output: file})
	require.NoError(s.t, err)
	return p
}

// start starts the Collector.
func (s *stand) start() {
	s.t.Helper()
	s.collector = s.run(distribution.Program(s.t, "otelcol-audit"), "otelcol-audit.log", s.args...)
	s.t.Cleanup(s.collector.Kill)
}

// kill kills the Collector, which must have been running.
func (s *stand) kill() {
	s.t.Helper()
	s.alive()
	s.collector.Kill()
	require.True(s.t, s.collector.Signaled(), "the Collector ended by itself")
}

func (s *stand) alive() {
	s.t.Helper()
	require.True(s.t, s.collector.Running(), "the Collector ended by itself:\n%s",
		strings.Join(program.LastLines(s.path("otelcol-audit.log"), 10), "\n"))
}

// stop ends the Collector in an orderly way.
func (s *stand) stop() {
	s.t.Helper()
	s.alive()
	require.NoError(s.t, s.collector.Stop())
}

// look brings the book up to date. What arrived is read before the ledger, so that it is in it.
func (s *stand) look() {
	s.t.Helper()
	require.NoError(s.t, s.sink.Poll(s.take))
	require.NoError(s.t, s.ledger.Update(s.t.Context()))
	require.NoError(s.t, s.queue.Update(s.t.Context()))
}

func (s *stand) take(logs plog.Logs) {
	for _, resource := range logs.ResourceLogs().All() {
		service, _ := resource.Resource().Attributes().Get("service.name")
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if service.AsString() == "saas-security" {
					s.takeSaaS(record)
					continue
				}
				id, known := record.Attributes().Get("sap.btp.audit.message_uuid")
				if !known {
					s.extra++
					continue
				}
				uid, _ := record.Attributes().Get("log.record.uid")
				s.book.Arrival(id.AsString(), uid.AsString())
			}
		}
	}
}

func (s *stand) takeSaaS(record plog.LogRecord) {
	found := saassecurity.Find([]byte(record.Body().AsString()))
	if len(found) != 1 {
		s.extra++
		return
	}
	uid, _ := record.Attributes().Get("log.record.uid")
	s.saas.Arrival(saassecurity.Marker(found[0]), uid.AsString())
}

// settle waits until everything has arrived that the source shows now.
func (s *stand) settle(limit time.Duration) {
	s.t.Helper()
	cutoff := time.Now()
	s.within(limit, "everything has arrived", func() bool {
		s.alive()
		s.look()
		return s.book.Missing(cutoff) == 0
	})
}

// within waits for a condition, which real programs fulfil in real time.
func (s *stand) within(limit time.Duration, what string, condition func() bool) {
	s.t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(limit)
	for !condition() {
		select {
		case <-ticker.C:
		case <-timeout:
			require.Fail(s.t, "not so within "+limit.String()+": "+what,
				"missing for instance: %v; state: %+v; the Collector's last words:\n%s",
				s.book.MissingIDs(time.Now(), 5), s.book.State(), strings.Join(program.LastLines(s.path("otelcol-audit.log"), 10), "\n"))
		}
	}
}
