// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// pairFolder is where cert_file and key_file are in a test.
type pairFolder struct {
	t   *testing.T
	dir string
}

func newPairFolder(t *testing.T, pair sapbtp.ClientCertificate) pairFolder {
	t.Helper()
	p := pairFolder{t, t.TempDir()}
	p.put(pair)
	return p
}

func (p pairFolder) path(name string) string { return filepath.Join(p.dir, name) }

func (p pairFolder) write(name string, content []byte) {
	p.t.Helper()
	temporary := p.path(".temporary")
	require.NoError(p.t, os.WriteFile(temporary, content, 0o600))
	require.NoError(p.t, os.Rename(temporary, p.path(name)))
}

func (p pairFolder) put(pair sapbtp.ClientCertificate) {
	p.t.Helper()
	p.write("tls.crt", pair.CertPEM)
	p.write("tls.key", pair.KeyPEM)
}

// present makes a configuration show what is in the folder in place of a secret.
func (p pairFolder) present(c *Config, sub sapbtp.Subaccount) {
	c.TokenURL, c.ClientSecret = sub.CertURL, ""
	c.ClientConfig.TLS.CertFile, c.ClientConfig.TLS.KeyFile = p.path("tls.crt"), p.path("tls.key")
}

// pairWorld is a world of real listeners and time with traffic, whose receiver shows the certificate in a folder.
func pairWorld(t *testing.T, pair func(*keyWorld) sapbtp.ClientCertificate, reload time.Duration) (*keyWorld, pairFolder) {
	t.Helper()
	w := newKeyWorld(t, 2)
	folder := newPairFolder(t, pair(w))
	configure := w.configure
	w.configure = func(c *Config) {
		configure(c)
		c.ServiceKeys = nil
		point(c, w.sub)
		folder.present(c, w.sub)
		c.ClientConfig.TLS.ReloadInterval = reload
	}
	return w, folder
}

const (
	renewed    = "Using a changed client certificate"
	notRenewed = "The client certificate of the tls section cannot be renewed; the one before stays in use"
)

// Whatever renews a certificate writes two files, one after the other, and not always at once and whole.
func TestCertificateFilesAreRenewedUnderLoad(t *testing.T) {
	t.Parallel()
	var issued []sapbtp.ClientCertificate
	issue := func(w *keyWorld) sapbtp.ClientCertificate {
		issued = append(issued, w.sim.IssueClientCert(w.sub.Tenant, time.Hour))
		return issued[len(issued)-1]
	}
	w, folder := pairWorld(t, issue, 20*time.Millisecond)
	host := &healthHost{Host: fileStorage(t)}
	r, err := w.startOn(host)
	require.NoError(t, err)
	w.caughtUp("by the first certificate", 0)
	for i, spoil := range []func(next sapbtp.ClientCertificate){
		func(next sapbtp.ClientCertificate) { folder.write("tls.crt", next.CertPEM) },
		func(next sapbtp.ClientCertificate) { folder.write("tls.key", next.KeyPEM) },
		func(next sapbtp.ClientCertificate) { folder.write("tls.key", next.KeyPEM[:len(next.KeyPEM)/2]) },
		func(sapbtp.ClientCertificate) { folder.write("tls.crt", nil) },
		func(sapbtp.ClientCertificate) { require.NoError(t, os.Remove(folder.path("tls.key"))) },
	} {
		next := issue(w)
		spoil(next)
		w.logged(notRenewed, i+1)
		w.requireEventually(func() bool { return strings.Contains(host.health(), "tls.") }, "what is wrong is a status")
		w.sim.RevokeTokens(w.sub.Tenant) // the next one is asked for with the certificate before
		w.caughtUp("by the certificate before", 0)
		folder.put(next)
		w.logged(renewed, i+1)
		w.requireEventually(func() bool { return host.health() == "" }, "all is well again, but: %s", host.health())
		w.caughtUp("by the next certificate", 0)
		requireLeft(t, r, next)
		if i > 0 {
			w.sim.ExpireClientCert(issued[i-1])
		}
	}
	w.sim.RevokeTokens(w.sub.Tenant)
	w.caughtUp("after the first ones have expired", 0)
	w.finish(0)
	require.Empty(t, w.logs.FilterMessageSnippet("Reading the audit log failed").All())
	require.Equal(t, 1, w.logs.FilterMessage("Reading the audit log").Len(), "nothing was restarted")
}

// A pair that was replaced because the one before is refused is used at once, however seldom the files are read otherwise.
func TestCertificateFilesAreReadAgainAfterARefusal(t *testing.T) {
	t.Parallel()
	good := func(w *keyWorld) sapbtp.ClientCertificate { return w.sim.IssueClientCert(w.sub.Tenant, time.Hour) }
	for name, tc := range map[string]struct {
		first   func(*keyWorld) sapbtp.ClientCertificate
		refusal string // of the first, "" if it is accepted
	}{
		"the token service resets the handshake": {
			func(w *keyWorld) sapbtp.ClientCertificate { return w.sim.IssueClientCert(w.sub.Tenant, -time.Minute) }, "client certificate",
		},
		"the token service answers 401": {
			func(w *keyWorld) sapbtp.ClientCertificate {
				return w.sim.IssueClientCert(w.sim.Subaccount(1).Tenant, time.Hour)
			}, "401",
		},
		"the API answers 401": {good, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, folder := pairWorld(t, tc.first, time.Hour)
			host := &healthHost{Host: fileStorage(t)}
			_, err := w.startOn(host)
			require.NoError(t, err)
			if tc.refusal == "" {
				w.caughtUp("by the first certificate", 0)
				folder.put(good(w))
				w.requireEventually(func() bool {
					w.sim.RevokeTokens(w.sub.Tenant) // again and again: a token that is renewed just then is not refused
					return w.logs.FilterMessage(renewed).Len() > 0
				}, "the files are read again")
			} else {
				w.requireEventually(func() bool { return strings.Contains(host.health(), tc.refusal) }, "it is refused, but: %s", host.health())
				folder.put(good(w))
			}
			w.logged(renewed, 1)
			w.caughtUp("by the next certificate", 0)
			w.requireEventually(func() bool { return host.health() == "" }, "all is well")
			w.finish(0)
		})
	}
}

func TestACertificateFileThatWillExpireIsWarnedOfInTime(t *testing.T) {
	for name, configure := range map[string]func(*Config, sapbtp.Subaccount, pairFolder){
		"single fields": func(c *Config, sub sapbtp.Subaccount, folder pairFolder) { folder.present(c, sub) },
		"beside a key with a self-managed certificate": func(c *Config, sub sapbtp.Subaccount, folder pairFolder) {
			folder.present(c, sub)
			c.ClientConfig.Endpoint, c.TokenURL, c.ClientID = "", "", ""
			c.ServiceKey = configopaque.String(selfManaged(folder.t, sub))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const life = 24 * time.Hour
				w := newWorld(t, sapbtp.Options{Seed: 72})
				certificate := w.sim.IssueClientCert(w.sub.Tenant, life)
				folder := newPairFolder(t, certificate)
				w.configure = func(c *Config) { configure(c, w.sub, folder) }
				r, says, at := w.expiring(t, &certificate)

				at(life/5 + time.Hour)
				require.Empty(t, says())
				at(life / 5)
				require.Contains(t, says(), "the client certificate expires at "+certificate.NotAfter.UTC().Format(time.RFC3339))
				certificate = w.sim.IssueClientCert(w.sub.Tenant, life)
				folder.put(certificate)
				require.Equal(t, statusOK, says(), "the renewed one lasts")
				at(life / 5)
				require.Contains(t, says(), "the client certificate expires at")
				at(0)
				require.Contains(t, says(), "the client certificate has expired at")
				require.Len(t, w.logs.FilterMessage("No credential of the subaccount lasts longer").All(), 3)
				require.NoError(t, r.Shutdown(t.Context()))
			})
		})
	}
}

// selfManaged is a key whose certificate was not made by SAP, which therefore does not have its private key.
func selfManaged(t *testing.T, sub sapbtp.Subaccount) []byte {
	t.Helper()
	var key map[string]any
	require.NoError(t, json.Unmarshal(sub.ServiceKey(sapbtp.X509Key), &key))
	delete(key["uaa"].(map[string]any), "key")
	raw, err := json.Marshal(key)
	require.NoError(t, err)
	return raw
}

func TestAPairThatDoesNotFitTogetherFailsTheStart(t *testing.T) {
	t.Parallel()
	w, folder := pairWorld(t, func(w *keyWorld) sapbtp.ClientCertificate {
		return w.sim.IssueClientCert(w.sub.Tenant, time.Hour)
	}, time.Hour)
	folder.write("tls.key", w.sim.IssueClientCert(w.sub.Tenant, time.Hour).KeyPEM)
	_, err := w.startOn(fileStorage(t))
	require.ErrorContains(t, err, "tls.cert_file, tls.key_file: certificate and private key do not belong together")
	require.NoError(t, os.Remove(folder.path("tls.crt")))
	_, err = w.startOn(fileStorage(t))
	require.ErrorContains(t, err, "tls.cert_file "+folder.path("tls.crt")+": no such file")
}
