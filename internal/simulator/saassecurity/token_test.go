// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const wantedForm = "grant_type=client_credentials&scope=api_access"

func basic(id, secret string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(id, secret) }
}

func TestTokenRequests(t *testing.T) {
	right := basic(DefaultClientID, DefaultClientSecret)
	tests := map[string]struct {
		query, form string
		change      func(*http.Request)
		want        int
	}{
		"basic":            {"", wantedForm, right, 200},
		"body":             {"", wantedForm + "&client_id=" + DefaultClientID + "&client_secret=" + DefaultClientSecret, nil, 400},
		"basic and body":   {"", wantedForm + "&client_secret=" + DefaultClientSecret, right, 400},
		"query is refused": {"?" + wantedForm, "", right, 400},
		"any query is":     {"?scope=api_access", wantedForm, right, 400},
		"wrong secret":     {"", wantedForm, basic(DefaultClientID, "x"), 401},
		"wrong client":     {"", wantedForm, basic("x", DefaultClientSecret), 401},
		"nothing":          {"", wantedForm, nil, 401},
		"other grant":      {"", "grant_type=password", right, 400},
		"not a form":       {"", wantedForm, func(r *http.Request) { right(r); r.Header.Set("Content-Type", "application/json") }, 400},
		"GET":              {"", "", func(r *http.Request) { right(r); r.Method, r.Body = http.MethodGet, nil }, 405},
		"charset is allowed": {"", wantedForm, func(r *http.Request) {
			right(r)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=ISO-8859-1")
		}, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, sim *Simulator, c *client) {
				status, body := c.token(t, tt.query, tt.form, tt.change)
				require.Equal(t, tt.want, status)
				require.Equal(t, status, sim.Ledger().Tokens[0].Status)
				switch status {
				case http.StatusUnauthorized:
					require.Equal(t, map[string]any{"error": "unauthorized", "resolution": "Please submit valid credentials.", "error_description": "Invalid credentials"}, body)
				case http.StatusOK:
					require.InDelta(t, 7199, body["expires_in"], 0)
					require.Equal(t, "bearer", body["token_type"])
					c.bearer, _ = body["access_token"].(string)
					require.Equal(t, http.StatusNoContent, c.bulk(t).status)
				}
			})
		})
	}
}

func TestTokenReplyVariants(t *testing.T) {
	keys := func(opts Options) (names []string) {
		bubble(t, opts, func(t *testing.T, _ *Simulator, c *client) {
			_, body := c.token(t, "", wantedForm, basic(DefaultClientID, DefaultClientSecret))
			for k := range body {
				names = append(names, k)
			}
		})
		return names
	}
	require.ElementsMatch(t, []string{"access_token", "expires_in", "token_type", "scope", "jti"}, keys(Options{}))
	require.ElementsMatch(t, []string{"access_token", "expires_in"}, keys(Options{BareToken: true}))
	require.ElementsMatch(t, []string{"access_token"}, keys(Options{BareToken: true, OmitExpiresIn: true}))
}

func TestTokensEnd(t *testing.T) {
	tests := map[string]struct {
		opts Options
		what func(*testing.T, *Simulator, *client)
		want int
	}{
		"still alive":                 {Options{}, func(*testing.T, *Simulator, *client) { time.Sleep(7198 * time.Second) }, 204},
		"by age":                      {Options{}, func(*testing.T, *Simulator, *client) { time.Sleep(7199 * time.Second) }, 401},
		"by short age":                {Options{TokenLifetime: time.Minute}, func(*testing.T, *Simulator, *client) { time.Sleep(time.Minute) }, 401},
		"by revocation":               {Options{}, func(_ *testing.T, s *Simulator, _ *client) { s.RevokeTokens() }, 401},
		"not by a secret reset":       {Options{}, func(_ *testing.T, s *Simulator, _ *client) { s.ResetSecret(false) }, 204},
		"by a secret reset":           {Options{}, func(_ *testing.T, s *Simulator, _ *client) { s.ResetSecret(true) }, 401},
		"not by a newer one":          {Options{}, another, 204},
		"by a newer one":              {Options{OneToken: true}, another, 401},
		"without the scope of events": {Options{}, withScope("incident_api"), 403},
		"with several scopes":         {Options{}, withScope("incident_api api_access"), 204},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, tt.opts, func(t *testing.T, sim *Simulator, c *client) {
				tt.what(t, sim, c)
				require.Equal(t, tt.want, c.bulk(t).status)
			})
		})
	}
}

func another(t *testing.T, _ *Simulator, c *client) {
	t.Helper()
	status, _ := c.token(t, "", wantedForm, basic(DefaultClientID, DefaultClientSecret))
	require.Equal(t, http.StatusOK, status)
}

func withScope(scope string) func(*testing.T, *Simulator, *client) {
	return func(t *testing.T, _ *Simulator, c *client) {
		t.Helper()
		_, body := c.token(t, "", "grant_type=client_credentials&scope="+scope, basic(DefaultClientID, DefaultClientSecret))
		c.bearer, _ = body["access_token"].(string)
	}
}

func TestSecretResetEndsTheOldSecret(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, sim *Simulator, c *client) {
		secret := sim.ResetSecret(false)
		status, _ := c.token(t, "", wantedForm, basic(DefaultClientID, DefaultClientSecret))
		require.Equal(t, http.StatusUnauthorized, status)
		status, _ = c.token(t, "", wantedForm, basic(DefaultClientID, secret))
		require.Equal(t, http.StatusOK, status)
	})
}

func TestTokenFaults(t *testing.T) {
	rules, err := ParseRules("token status=503 times=1; token document=garbage times=1; token reset=after times=1; token delay=3s times=1")
	require.NoError(t, err)
	bubble(t, Options{Rules: rules}, func(t *testing.T, sim *Simulator, c *client) {
		ask := func() got {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, URL+pathToken, http.NoBody)
			require.NoError(t, err)
			return c.do(req)
		}
		require.Equal(t, http.StatusServiceUnavailable, ask().status)
		require.Contains(t, string(ask().body), "\x00")
		require.Error(t, ask().err)
		start := time.Now()
		require.Equal(t, http.StatusBadRequest, ask().status)
		require.Equal(t, 3*time.Second, since(start))
		require.Len(t, sim.Ledger().Tokens, 4)
	})
}

func TestCredentialsInWrongPlacesAreNoted(t *testing.T) {
	const secret = "a/b+c"
	tests := map[string]struct {
		path   string
		change func(*http.Request, *client)
		want   []string
	}{
		"all in order":       {pathBulk, func(*http.Request, *client) {}, nil},
		"token in the query": {pathBulk, func(r *http.Request, c *client) { r.URL.RawQuery = "access_token=" + c.bearer }, []string{"token in the URL"}},
		"secret in the query": {pathToken, func(r *http.Request, _ *client) {
			r.URL.RawQuery = "s=" + url.QueryEscape(secret)
			r.Header.Del("Authorization")
		}, []string{"client secret in the URL"}},
		"escaped secret": {pathToken, func(r *http.Request, _ *client) {
			r.URL.RawQuery = "s=" + url.QueryEscape(secret)
			r.Header.Del("Authorization")
		}, []string{"client secret in the URL"}},
		"secret in a header":   {pathBulk, func(r *http.Request, _ *client) { r.Header.Set("X-Debug", secret) }, []string{"client secret in the header X-Debug"}},
		"basic on a read":      {pathBulk, func(r *http.Request, _ *client) { r.SetBasicAuth(DefaultClientID, secret) }, []string{"Basic authorization"}},
		"bearer for the token": {pathToken, func(*http.Request, *client) {}, []string{"Bearer authorization"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{ClientSecret: secret}, func(t *testing.T, sim *Simulator, c *client) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, URL+tt.path, http.NoBody)
				require.NoError(t, err)
				req.Header.Set("Authorization", "Bearer "+c.bearer)
				tt.change(req, c)
				require.NoError(t, c.do(req).err)
				var what []string
				for _, m := range sim.Ledger().Misplaced {
					what = append(what, m.What)
				}
				require.Equal(t, tt.want, what)
			})
		})
	}
}
