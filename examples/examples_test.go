// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package examples holds configurations that work as they stand; its tests start each of them with the real program.
package examples

import (
	"os"
	"path/filepath"
	"slices"
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
	// records is more than one page of the API.
	records = 700
	// patience is how long all of them may take. It is long because the machine may be busy.
	patience = 10 * time.Minute
)

// site is what an example meets: SAP, the SIEM and other backends, and the values that its user would set.
type site struct {
	sim       *sapbtp.Simulator
	listeners *sapbtp.Listeners
	backends  []*siem           // the SIEM first
	dir       string            // the test's own
	env       map[string]string // as the head of the configuration asks for
	set       map[string]string // what only a test has to change: addresses and folders of this machine
	others    int               // events of another service, which have to arrive, too
	check     func(t *testing.T)
}

// examples are the folders and what each needs beside SIEM_ENDPOINT and SIEM_TOKEN.
var examples = map[string]func(*testing.T, *site){
	"pipeline-strict": func(t *testing.T, s *site) {
		t.Helper()
		s.serviceKey(t)
		// What OTLP/HTTP calls permanent, as an expired token, delays events and loses none.
		s.backends[0].refuse(3)
	},
	"pipeline-decoupled": func(t *testing.T, s *site) {
		t.Helper()
		s.serviceKey(t)
		archive := newSIEM(t, "")
		s.env["ARCHIVE_ENDPOINT"] = archive.url
		s.backends = append(s.backends, archive)
		s.set["extensions.file_storage/queues.directory"] = filepath.Join(s.dir, "queues")
	},
	"mtls": func(t *testing.T, s *site) {
		t.Helper()
		sub := s.sim.Subaccount(0)
		cert := s.sim.IssueClientCert(sub.Tenant, 24*time.Hour)
		s.env["SAP_URL"], s.env["SAP_CERT_URL"], s.env["SAP_CLIENT_ID"] = sub.Endpoint, s.listeners.CertURL, sub.ClientID
		s.env["SAP_CERT_FILE"] = s.write(t, "cert.pem", cert.CertPEM)
		s.env["SAP_KEY_FILE"] = s.write(t, "key.pem", cert.KeyPEM)
		s.set["receivers.sap_btp_audit.tls.ca_file"] = s.write(t, "ca.pem", s.sim.CACertificate())
	},
	"proxy": func(t *testing.T, s *site) {
		t.Helper()
		// Names that nobody but the proxy can resolve.
		const domain = "audit.invalid"
		key := strings.ReplaceAll(string(s.sim.Subaccount(0).ServiceKey(sapbtp.SecretKey)), s.listeners.TLSURL, "https://"+domain)
		s.env["SAP_SERVICE_KEY_FILE"] = s.write(t, "key.json", []byte(key))
		proxy := newProxy(t, strings.TrimPrefix(s.listeners.TLSURL, "https://"))
		s.env["PROXY_URL"] = proxy.url
		s.set["receivers.sap_btp_audit.tls.ca_file"] = s.write(t, "ca.pem", s.sim.CACertificate())
		s.set["receivers.sap_btp_audit.tls.server_name_override"] = "localhost"
		s.check = func(t *testing.T) {
			t.Helper()
			require.Equal(t, []string{domain + ":443"}, proxy.asked())
		}
	},
	"kubernetes": func(t *testing.T, s *site) {
		t.Helper()
		s.serviceKey(t)
		s.env["POD_IP"] = "127.0.0.1"
		s.saas(t)
		s.set["extensions.health_check.endpoint"] = "127.0.0.1:0"
	},
	"ocsf": shapes,
	"ecs":  shapes,
}

// shapes is what an example needs whose statements are a configuration beside its own.
func shapes(t *testing.T, s *site) {
	t.Helper()
	s.serviceKey(t)
	s.saas(t)
}

func TestEveryEventArrivesOnce(t *testing.T) {
	collector := distribution.Program(t, "otelcol-audit")
	for name, prepare := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, name)
			prepare(t, s)
			now := time.Now()
			s.sim.Generate(s.sim.Subaccount(0).Tenant, records, now.Add(-2*time.Hour), now.Add(-time.Minute))

			require.Empty(t, distribution.ValidateArgs(t, s.environment(), s.args(name)...))

			log, err := os.Create(filepath.Join(s.dir, "log"))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, log.Close()) })
			running, err := program.Start(program.Spec{Path: collector, Args: s.args(name), Env: s.environment(), Output: log})
			require.NoError(t, err)
			defer running.Kill()
			for _, backend := range s.backends {
				arrived := backend.wait(records+s.others, running.Done())
				require.True(t, arrived, "%d of %d events arrived; the Collector says: %s",
					len(backend.received())+len(backend.ofOthers()), records+s.others, strings.Join(program.LastLines(log.Name(), 20), "\n"))
			}
			require.NoError(t, running.Stop())
			for _, backend := range s.backends {
				backend.requireAll(t, s.sim)
				require.Len(t, backend.ofOthers(), s.others)
				require.Len(t, slices.Compact(slices.Sorted(slices.Values(backend.ofOthers()))), s.others, "each once")
			}
			s.check(t)
		})
	}
}

// A new folder needs a test; the quickstart and the detections have their own.
func TestEveryFolderIsTested(t *testing.T) {
	configs, err := filepath.Glob("*/config.yaml")
	require.NoError(t, err)
	var found []string
	for _, config := range configs {
		if folder := filepath.Dir(config); folder != "quickstart" && folder != "detections" {
			found = append(found, folder)
		}
	}
	slices.Sort(found)
	require.Equal(t, sortedKeys(examples), found)
}

func newSite(t *testing.T, name string) *site {
	t.Helper()
	sim := sapbtp.New(sapbtp.Options{Seed: uint64(len(name))})
	listeners, err := sim.Start(sapbtp.StartOptions{TLS: name == "mtls" || name == "proxy", MutualTLS: name == "mtls"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listeners.Close()) })
	s := &site{sim: sim, listeners: listeners, backends: []*siem{newSIEM(t, token)}, dir: t.TempDir(), check: func(*testing.T) {}}
	s.env = map[string]string{"SIEM_ENDPOINT": s.backends[0].url, "SIEM_TOKEN": token}
	state := filepath.Join(s.dir, "state")
	require.NoError(t, os.Mkdir(state, 0o700))
	s.set = map[string]string{
		"extensions.file_storage/state.directory": state,
		// Several Collectors run at once here, and would all want the same port.
		"service.telemetry.metrics.level":                           "none",
		"receivers.sap_btp_audit.retry_on_failure.initial_interval": "50ms",
	}
	return s
}

func (s *site) serviceKey(t *testing.T) {
	t.Helper()
	s.env["SAP_SERVICE_KEY_FILE"] = s.write(t, "key.json", s.sim.Subaccount(0).ServiceKey(sapbtp.SecretKey))
}

// saas adds a SaaS Security with some events.
func (s *site) saas(t *testing.T) {
	t.Helper()
	s.others = 250
	sim := saassecurity.New(saassecurity.Options{})
	t.Cleanup(sim.Close)
	sim.Enqueue(s.others)
	var err error
	s.env["SAAS_ENDPOINT"], err = sim.Start(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	s.env["SAAS_CLIENT_ID"] = saassecurity.DefaultClientID
	s.env["SAAS_CLIENT_SECRET_FILE"] = s.write(t, "client-secret", []byte(saassecurity.DefaultClientSecret))
	s.set["receivers.saas_security.poll_interval"] = "1s"
}

func (s *site) write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func (s *site) args(name string) []string {
	args := []string{"--config=" + filepath.Join(name, "config.yaml")}
	if beside := filepath.Join(name, name+".yaml"); exists(beside) {
		args = append(args, "--config="+beside)
	}
	for _, key := range sortedKeys(s.set) {
		args = append(args, "--set="+key+"="+s.set[key])
	}
	return args
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (s *site) environment() (env []string) {
	for _, key := range sortedKeys(s.env) {
		env = append(env, key+"="+s.env[key])
	}
	return env
}
