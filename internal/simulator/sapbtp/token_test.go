// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTokenRequests(t *testing.T) {
	encoded := func(c *caller) func(*http.Request) {
		return func(r *http.Request) {
			r.SetBasicAuth(url.QueryEscape(c.sub.ClientID), url.QueryEscape(c.sub.ClientSecret))
			r.Header.Set("X-CF-ENCODED-CREDENTIALS", "true")
		}
	}
	raw := func(c *caller) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(c.sub.ClientID, c.sub.ClientSecret) }
	}
	none := func(*caller) func(*http.Request) { return func(*http.Request) {} }
	tests := map[string]struct {
		form   url.Values // nil: id and secret in the form
		with   func(*caller) func(*http.Request)
		status int
		code   string
	}{
		"secret in the form":                      {nil, none, 200, ""},
		"encoded Basic":                           {url.Values{"grant_type": {"client_credentials"}}, encoded, 200, ""},
		"raw Basic breaks at the + of the secret": {url.Values{"grant_type": {"client_credentials"}}, raw, 401, "unauthorized"},
		"wrong secret":                            {url.Values{"grant_type": {"client_credentials"}, "client_id": {"self"}, "client_secret": {"x"}}, none, 401, "unauthorized"},
		"no secret":                               {url.Values{"grant_type": {"client_credentials"}, "client_id": {"self"}}, none, 401, "unauthorized"},
		"unknown client":                          {url.Values{"grant_type": {"client_credentials"}, "client_id": {"who"}, "client_secret": {"x"}}, none, 401, "invalid_client"},
		"nobody":                                  {url.Values{"grant_type": {"client_credentials"}}, none, 401, "unauthorized"},
		"other grant":                             {url.Values{"grant_type": {"password"}}, none, 400, "unsupported_grant_type"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t, New(Options{Now: at(noon)}))
			form := tc.form
			if form == nil {
				form = c.form()
			}
			if form.Get("client_id") == "self" {
				form.Set("client_id", c.sub.ClientID)
			}
			resp, err := c.post(c.sub.TokenURL, form, tc.with(c))
			require.NoError(t, err)
			require.Equal(t, tc.status, resp.status)
			var body struct {
				Error   string  `json:"error"`
				Token   string  `json:"access_token"`
				Expires float64 `json:"expires_in"`
			}
			require.NoError(t, json.Unmarshal(resp.body, &body))
			require.Equal(t, tc.code, body.Error)
			if tc.status == http.StatusOK {
				require.InDelta(t, 43199, body.Expires, 0)
				require.Len(t, strings.Split(body.Token, "."), 3)
			}
		})
	}
}

func TestGrantTypeMayComeInTheQuery(t *testing.T) {
	c := newCaller(t, New(Options{Now: at(noon)}))
	form := c.form()
	form.Del("grant_type")
	resp, err := c.post(c.sub.TokenURL, form, func(r *http.Request) { r.URL.RawQuery = "grant_type=client_credentials" })
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.status)
}

func TestTokenOfAnotherZoneIsRefused(t *testing.T) {
	sim := New(Options{Subaccounts: 2, Now: at(noon)})
	c := newCaller(t, sim)
	resp, err := c.post(sim.Subaccount(1).TokenURL, c.form())
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, resp.status)
}

func TestRotatedSecretReplacesTheOldOne(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	c := newCaller(t, sim)
	c.login()
	fresh := sim.RotateSecret(c.sub.Tenant)
	require.NotEqual(t, c.sub.ClientSecret, fresh)
	resp, err := c.post(c.sub.TokenURL, c.form())
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, resp.status)
	c.sub.ClientSecret = fresh
	c.login()
	require.Equal(t, http.StatusNoContent, c.status())
}

func TestCertificateHostInMemory(t *testing.T) {
	now := noon
	sim := New(Options{Subaccounts: 2, Now: func() time.Time { return now }})
	c := newCaller(t, sim)
	form := c.form()
	form.Del("client_secret")
	_, err := c.post(c.sub.CertURL, form)
	require.ErrorContains(t, err, "connection reset by peer", "no certificate")

	var shown tls.Certificate
	c.client.Transport = sim.Transport(WithClientCertificate(func() *tls.Certificate { return &shown }))
	shown = sim.IssueClientCert(c.sub.Tenant, time.Minute).TLS
	resp, err := c.post(c.sub.CertURL, form)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.status)

	shown = sim.IssueClientCert(sim.Subaccount(1).Tenant, time.Hour).TLS
	resp, err = c.post(c.sub.CertURL, form)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, resp.status, "another subaccount's certificate")

	shown = sim.IssueClientCert(c.sub.Tenant, time.Minute).TLS
	now = now.Add(2 * time.Minute)
	_, err = c.post(c.sub.CertURL, form)
	require.ErrorContains(t, err, "bad certificate", "expired")

	certificate := sim.IssueClientCert(c.sub.Tenant, time.Minute)
	shown = certificate.TLS
	sim.ExpireClientCert(certificate)
	_, err = c.post(c.sub.CertURL, form)
	require.ErrorContains(t, err, "bad certificate", "expired before its time")
}
