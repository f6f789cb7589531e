// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

func TestClientCertificatesAreShownToTheTokenService(t *testing.T) {
	t.Parallel()
	w, certificate := mutualWorld(t)
	configure := w.configure
	w.configure = func(c *Config) { configure(c); present(c, w.sub, certificate) }
	_, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	w.requireEventually(func() bool { return w.sink.total() >= 1000 }, "events arrive")
	w.requireExactlyOnce()
	require.Empty(t, w.sim.Ledger().Leaks())
}

// Whoever sets up mTLS learns from the log what is wrong, and not just that a connection was reset.
func TestWhatIsWrongWithCertificatesIsExplained(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*Config, *world)
		says  []string
	}{
		"client certificate of another authority": {func(c *Config, w *world) {
			present(c, w.sub, sapbtp.New(sapbtp.Options{Seed: 61}).IssueClientCert(w.sub.Tenant, time.Hour))
		}, []string{"client certificate"}},
		"expired client certificate": {func(c *Config, w *world) {
			present(c, w.sub, w.sim.IssueClientCert(w.sub.Tenant, -time.Minute))
		}, []string{"client certificate"}},
		"no client certificate": {func(c *Config, w *world) {
			c.TokenURL = w.sub.CertURL
		}, []string{"client certificate"}},
		"wrong CA": {func(c *Config, _ *world) {
			c.ClientConfig.TLS.CAPem = configopaque.String(sapbtp.New(sapbtp.Options{}).CACertificate())
		}, []string{"the server's certificate is signed by an unknown authority", "set tls.ca_file to the right CA"}},
		"wrong host": {func(c *Config, _ *world) {
			c.ClientConfig.TLS.ServerName = "api.example.invalid"
		}, []string{"the server's certificate is for another host", "tls.server_name_override"}},
		"no TLS on that port": {func(c *Config, w *world) {
			c.TokenURL = strings.Replace(w.listeners.URL, "http://", "https://", 1)
		}, []string{"the server does not speak TLS on this port"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := mutualWorld(t)
			configure := w.configure
			w.configure = func(c *Config) {
				configure(c)
				tc.spoil(c, w)
			}
			_, err := w.startOn(fileStorage(t))
			require.NoError(t, err, "what a server says never fails the start")
			failure := w.requireFailure()
			for _, part := range append(tc.says, "requesting an access token: 127.0.0.1:") {
				require.Contains(t, failure, part)
			}
			require.Zero(t, w.sim.Ledger().Total(sapbtp.KindRecords))
		})
	}
}

// Secrets and tokens go to nobody with whom no TLS 1.2 can be agreed on.
func TestAServerWithoutTLS12IsRefused(t *testing.T) {
	t.Parallel()
	w := realWorld(t, sapbtp.StartOptions{})
	asked := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.StartTLS()
	t.Cleanup(server.Close)
	configure := w.configure
	w.configure = func(c *Config) {
		configure(c)
		c.ClientConfig.Endpoint, c.TokenURL = server.URL, server.URL
		c.ClientConfig.TLS.CAPem = configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	}
	_, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	require.Contains(t, w.requireFailure(), "check tls.min_version and tls.max_version")
	require.Empty(t, asked)
}

func TestUncheckedCertificatesAreWarnedOfAtEveryStart(t *testing.T) {
	t.Parallel()
	w, _ := mutualWorld(t)
	configure := w.configure
	w.configure = func(c *Config) {
		configure(c)
		c.ClientConfig.TLS.CAPem = ""
		c.ClientConfig.TLS.InsecureSkipVerify = true
	}
	host := fileStorage(t)
	for life := range 2 {
		r, err := w.startOn(host)
		require.NoError(t, err)
		w.requireEventually(func() bool { return w.sink.total() >= 1000 }, "it works")
		require.Len(t, w.logs.FilterMessageSnippet("tls.insecure_skip_verify is set").All(), life+1)
		require.NoError(t, r.Shutdown(t.Context()))
	}
}

// mutualWorld is a world of real TLS listeners, whose receiver shows a client secret until it is told otherwise.
func mutualWorld(t *testing.T) (*world, sapbtp.ClientCertificate) {
	t.Helper()
	w := realWorld(t, sapbtp.StartOptions{TLS: true, MutualTLS: true})
	w.sim.Generate(w.sub.Tenant, 1000, time.Now().Add(-time.Minute), time.Now())
	configure := w.configure
	w.configure = func(c *Config) {
		configure(c)
		c.ClientConfig.TLS.CAPem = configopaque.String(w.sim.CACertificate())
	}
	return w, w.sim.IssueClientCert(w.sub.Tenant, time.Hour)
}
