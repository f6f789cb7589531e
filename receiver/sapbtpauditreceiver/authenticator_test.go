// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension/extensionauth"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

var oauth2clientID = component.MustNewID("oauth2client")

// oauth2client does what the Collector's extension of that name does: it gets a token by client credentials, shows it until
// it expires, even if it is refused, and puts what the token service says into the error of the request.
type oauth2client struct {
	component.StartFunc
	component.ShutdownFunc

	sub    sapbtp.Subaccount
	client *http.Client

	mu      sync.Mutex
	secret  string
	token   string
	expires time.Time
	asked   int
}

var _ extensionauth.HTTPClient = (*oauth2client)(nil)

func (e *oauth2client) RoundTripper(base http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		token, err := e.fresh()
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+token)
		return base.RoundTrip(r)
	}), nil
}

func (e *oauth2client) fresh() (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.expires) {
		return e.token, nil
	}
	e.asked++
	resp, err := e.client.PostForm(e.sub.TokenURL+"/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {e.sub.ClientID}, "client_secret": {e.secret},
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var reply struct {
		Token   string  `json:"access_token"`
		Seconds float64 `json:"expires_in"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil || reply.Token == "" {
		return "", errors.New("oauth2: cannot fetch token for " + e.secret + ": " + resp.Status)
	}
	e.token, e.expires = reply.Token, time.Now().Add(time.Duration(reply.Seconds*float64(time.Second)))
	return e.token, nil
}

func (e *oauth2client) use(secret string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.secret = secret
}

func (e *oauth2client) tokens() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

// extended is a host with one more extension.
type extended struct {
	component.Host
	id        component.ID
	extension component.Component
}

func (h extended) GetExtensions() map[component.ID]component.Component {
	all := maps.Clone(h.Host.GetExtensions())
	all[h.id] = h.extension
	return all
}

// The Collector's own way: an authenticator extension brings the token, and the receiver knows no credentials.
func TestAnAuthenticatorExtensionBringsTheToken(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 1)
	w.sim.Configure(func(r *sapbtp.Readings) { r.TokenLifetime = 5 * time.Second })
	configure := w.configure
	w.configure = func(c *Config) {
		configure(c)
		c.ServiceKeys = nil
		c.ClientConfig.Endpoint = w.sub.Endpoint
		c.ClientConfig.Auth = configoptional.Some(configauth.Config{AuthenticatorID: oauth2clientID})
	}
	disk := fileStorage(t)
	_, err := w.startOn(disk)
	require.ErrorContains(t, err, "building the HTTP client", "the extension is not there")
	require.ErrorContains(t, err, "oauth2client")

	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(w.sim.CACertificate()))
	service := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(service.CloseIdleConnections)
	auth := &oauth2client{sub: w.sub, client: &http.Client{Transport: service}, secret: w.sub.ClientSecret}
	host := &healthHost{Host: extended{disk, oauth2clientID, auth}}
	r, err := w.startOn(host)
	require.NoError(t, err)
	w.caughtUp("from the start", 0)
	w.requireEventually(func() bool { return auth.tokens() >= 2 }, "tokens that have expired are replaced")
	w.caughtUp("with other tokens", 0)
	require.Empty(t, host.health())

	w.requireEventually(func() bool {
		w.sim.RevokeTokens(w.sub.Tenant) // again and again: a token that is replaced just then is not refused
		return strings.Contains(host.health(), "HTTP 401")
	}, "a token is refused")
	w.caughtUp("after the extension has got another one", 0)
	w.requireEventually(func() bool { return host.health() == "" }, "all is well again")

	old := w.sub.ClientSecret
	secret := w.sim.RotateSecret(w.sub.Tenant)
	w.requireEventually(func() bool { return strings.Contains(host.health(), "the request failed before a reply came") }, "the extension gets no token")
	reset := time.Now()
	w.requireEventually(func() bool {
		return w.sim.Ledger().Count(sapbtp.InTenant(w.sub.Tenant), sapbtp.Between(reset, time.Now())) > 0
	}, "events come into being meanwhile")
	auth.use(secret)
	w.caughtUp("with the new secret", 0)
	w.requireEventually(func() bool { return host.health() == "" }, "all is well again")
	w.finish(0)

	require.NoError(t, r.Shutdown(t.Context()))
	_, err = w.startOn(host)
	require.NoError(t, err)
	w.finish(0) // the progress is found again

	seen := strings.Join(w.messages(0), "\n")
	for _, canary := range []string{old, secret, auth.token} {
		require.False(t, reveals(seen, canary), "nothing of the extension's errors is passed on")
	}
}
