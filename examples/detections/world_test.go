// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package detections

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

const (
	subaccounts = 6
	holed       = 3 // the number of the one with a record that cannot be shown
	lasting     = 4 // the number of the one whose certificate lasts
)

// world is both services, the Collector as config.yaml makes it, and the database.
type world struct {
	sap     *sapbtp.Simulator
	db      *database
	dir     string
	path    string
	env     []string
	args    []string
	metrics string            // address of the Collector's own
	names   map[string]string // subaccounts by what the fixtures call them
}

func newWorld(t *testing.T, events *corpus) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{dir: dir, path: distribution.Program(t, "otelcol-audit"), names: map[string]string{}}
	w.sap = sapbtp.New(sapbtp.Options{Seed: 1, Subaccounts: subaccounts})
	listeners, err := w.sap.Start(sapbtp.StartOptions{TLS: true, MutualTLS: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listeners.Close()) })
	saas := saassecurity.New(saassecurity.Options{})
	t.Cleanup(saas.Close)
	saasURL, err := saas.Start(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	events.serve(w.sap, saas)
	w.db = startDatabase(t, dir)

	keys := filepath.Join(dir, "keys")
	require.NoError(t, os.Mkdir(keys, 0o700))
	for i, sub := range w.sap.Subaccounts() {
		key := sub.ServiceKey(sapbtp.SecretKey)
		if i == lasting {
			key = sub.ServiceKeyWith(w.sap.IssueClientCert(sub.Tenant, 30*24*time.Hour))
		}
		w.write(t, filepath.Join("keys", "key-"+strconv.Itoa(i)+".json"), key)
		w.names["subaccount "+strconv.Itoa(i)] = sub.Tenant
	}
	w.names["expiring"] = w.expiring(t)
	secret := w.write(t, "client-secret", []byte(saassecurity.DefaultClientSecret))

	ports, err := program.FreePorts(1)
	require.NoError(t, err)
	w.metrics = "http://127.0.0.1:" + strconv.Itoa(ports[0]) + "/metrics"
	w.env = []string{
		"SAP_SERVICE_KEYS=" + keys, "SAAS_ENDPOINT=" + saasURL, "SAAS_CLIENT_ID=" + saassecurity.DefaultClientID,
		"SAAS_CLIENT_SECRET_FILE=" + secret, "VICTORIALOGS=" + w.db.url,
		"METRICS_PORT=" + strconv.Itoa(ports[0]),
	}
	w.args = []string{"--config=config.yaml"}
	for _, set := range []string{
		"extensions.file_storage.directory=" + filepath.Join(dir, "state"),
		"receivers.sap_btp_audit.tls.ca_file=" + w.write(t, "ca.pem", w.sap.CACertificate()),
		"receivers.sap_btp_audit.initial_lookback=48h",
		"receivers.sap_btp_audit.poll_interval=1s",
		"receivers.sap_btp_audit.requests_per_second=50",
		"receivers.saas_security.poll_interval=1s",
	} {
		w.args = append(w.args, "--set="+set)
	}
	return w
}

// expiring writes the key of a subaccount of a second landscape, whose certificate was made four weeks ago and ends tomorrow. Nobody
// answers there.
func (w *world) expiring(t *testing.T) string {
	t.Helper()
	const age, left = 28 * 24 * time.Hour, 24 * time.Hour
	then := sapbtp.New(sapbtp.Options{Seed: 2, Now: func() time.Time { return time.Now().Add(-age) }})
	sub := then.Subaccount(0)
	key := string(sub.ServiceKeyWith(then.IssueClientCert(sub.Tenant, age+left)))
	key = regexp.MustCompile(`https://[a-z0-9.-]+\.ondemand\.com`).ReplaceAllString(key, "https://127.0.0.1:1")
	w.write(t, "keys/expiring.json", []byte(key))
	return sub.Tenant
}

func (w *world) write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(w.dir, name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func (w *world) startCollector(t *testing.T) *started {
	t.Helper()
	return start(t, w.path, filepath.Join(w.dir, "collector.log"), w.env, w.args...)
}

// load has the Collector bring all events, a hole in each trail, and what it says itself.
func (w *world) load(t *testing.T, events *corpus) (metrics string) {
	t.Helper()
	collector := w.startCollector(t)
	await(t, collector, "all events are there", func(ctx context.Context) bool {
		return w.db.count(ctx, "service.name:in(sap-btp-audit, saas-security) !sap.btp.audit.gap.reason:*") >= events.events()
	})
	await(t, collector, "the Collector tells of the certificate", func(ctx context.Context) bool {
		return w.db.count(ctx, `_msg:="No credential of the subaccount lasts longer"`) > 0
	})
	// A second is given up only while others of the same subaccount can be read.
	asked := 0
	await(t, collector, "the hole in SAP's log is announced", func(ctx context.Context) bool {
		if asked++; asked%10 == 1 {
			w.sap.Add(w.sap.Subaccount(holed).Tenant, sapbtp.Record{JSON: sapRecord(t, fmt.Sprintf("later/%d", asked), time.Now(), 0, map[string]any{"user": "ann@example.org"})})
		}
		return w.db.count(ctx, "sap.btp.audit.gap.reason:*") > 0
	})
	metrics = w.scrape(t)
	require.NoError(t, collector.Stop())

	// Without its own file the receiver does not know what it has read.
	lost, err := filepath.Glob(filepath.Join(w.dir, "state", "receiver_saas_security_*"))
	require.NoError(t, err)
	for _, file := range lost {
		if !strings.Contains(filepath.Base(file), "spool") {
			require.NoError(t, os.Remove(file))
		}
	}
	collector = w.startCollector(t)
	await(t, collector, "the other hole is announced", func(ctx context.Context) bool {
		return w.db.count(ctx, "saas_security.gap.reason:*") > 0
	})
	require.NoError(t, collector.Stop())
	return metrics
}

func (w *world) scrape(t *testing.T) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.metrics, http.NoBody)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}
