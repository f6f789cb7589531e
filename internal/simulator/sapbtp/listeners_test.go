// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func start(t *testing.T, sim *Simulator, o StartOptions) *Listeners {
	t.Helper()
	l, err := sim.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// tlsTransport trusts the simulator's CA and shows a certificate, if any.
func tlsTransport(t *testing.T, sim *Simulator, version uint16, shown ...tls.Certificate) *http.Transport {
	t.Helper()
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(sim.CACertificate()))
	tr := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: version, MaxVersion: version, RootCAs: roots, Certificates: shown}}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func TestPlainListenerServesTokenAndRecords(t *testing.T) {
	sim := New(Options{Seed: 5})
	sim.Generate(sim.Subaccount(0).Tenant, 600, time.Now().Add(-time.Hour), time.Now().Add(-time.Second))
	l := start(t, sim, StartOptions{})
	c := newCaller(t, sim)
	require.Equal(t, l.URL, c.sub.Endpoint)
	c.client.Transport = nil
	t.Cleanup(c.client.CloseIdleConnections)
	ids, pages := c.all()
	require.Equal(t, 2, pages)
	require.Empty(t, sim.Ledger().Missing(ids))
}

func TestTLSAndCertificateListeners(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			sim := New(Options{})
			start(t, sim, StartOptions{TLS: true, MutualTLS: true})
			c := newCaller(t, sim)
			form := c.form()
			form.Del("client_secret")

			c.client.Transport = tlsTransport(t, sim, version)
			require.Equal(t, http.StatusNoContent, c.status())
			_, err := c.post(c.sub.CertURL, form)
			requireBroken(t, err)

			c.client.Transport = tlsTransport(t, sim, version, sim.IssueClientCert(c.sub.Tenant, time.Hour).TLS)
			resp, err := c.post(c.sub.CertURL, form)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, resp.status)

			c.client.Transport = tlsTransport(t, sim, version, sim.IssueClientCert(c.sub.Tenant, -time.Hour).TLS)
			_, err = c.post(c.sub.CertURL, form)
			requireBroken(t, err)
		})
	}
}

// requireBroken demands that the peer broke the connection. With TLS 1.3 the client believes the handshake to be over by
// then, and notices at the first read or write.
func requireBroken(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE), err)
}

func TestServiceKeysHoldBothCredentialTypes(t *testing.T) {
	type key struct {
		URL string `json:"url"`
		UAA struct {
			Type        string `json:"credential-type"`
			URL         string `json:"url"`
			CertURL     string `json:"certurl"`
			ClientID    string `json:"clientid"`
			Secret      string `json:"clientsecret"`
			Certificate string `json:"certificate"`
			Key         string `json:"key"`
			Zone        string `json:"identityzoneid"`
		} `json:"uaa"`
	}
	sim := New(Options{})
	sub := sim.Subaccount(0)
	var secret, x key
	require.NoError(t, json.Unmarshal(sub.ServiceKey(SecretKey), &secret))
	require.Equal(t, "binding-secret", secret.UAA.Type)
	require.Equal(t, sub.Endpoint, secret.URL)
	require.Equal(t, sub.ClientSecret, secret.UAA.Secret)
	require.Equal(t, sub.Tenant, secret.UAA.Zone)
	require.Empty(t, secret.UAA.Key)
	for _, c := range []string{"!", "|"} {
		require.Contains(t, secret.UAA.ClientID, c)
	}
	for _, c := range []string{"+", "$", "="} {
		require.Contains(t, secret.UAA.Secret, c)
	}
	require.NoError(t, json.Unmarshal(sub.ServiceKey(X509Key), &x))
	require.Equal(t, "x509", x.UAA.Type)
	require.Equal(t, sub.CertURL, x.UAA.CertURL)
	require.Empty(t, x.UAA.Secret)
	pair, err := tls.X509KeyPair([]byte(x.UAA.Certificate), []byte(x.UAA.Key))
	require.NoError(t, err)
	require.Len(t, pair.Certificate, 2, "a chain")
}
