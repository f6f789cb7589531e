// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

func TestShowsWhoTheClientIsInTheStyleThatIsSet(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":"+secret))
	for name, tt := range map[string]struct {
		style         Style
		params        url.Values
		form          url.Values
		authorization string
	}{
		"secret in the form": {SecretInForm, nil, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret},
		}, ""},
		"secret in the header": {SecretInHeader, url.Values{"scope": {"api_access"}}, url.Values{
			"grant_type": {"client_credentials"}, "scope": {"api_access"},
		}, basic},
		"client certificate": {MutualTLS, url.Values{"grant_type": {"password"}}, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {clientID},
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(grants("t1", time.Hour))
			s := e.source(func(set *Settings) {
				set.Style, set.Params = tt.style, tt.params
				if tt.style == MutualTLS {
					set.Secret = nil
				}
			})
			want(t, s, "t1")
			require.Equal(t, tt.form, e.asked[0].form)
			require.Equal(t, tt.authorization, e.asked[0].header.Get("Authorization"))
			require.Equal(t, "application/x-www-form-urlencoded", e.asked[0].header.Get("Content-Type"))
			require.Equal(t, http.MethodPost, e.asked[0].method)
			require.Equal(t, "https://uaa.example.com/oauth/token", e.asked[0].url)
		})
	}
}

func TestReadsTheSecretForEachRequest(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(reply(503, ""), grants("t1", time.Hour), grants("t2", time.Hour))
		secrets := []string{"s1", "s2", "s3"}
		s := e.source(func(set *Settings) {
			set.Secret = func() (string, error) {
				next := secrets[0]
				secrets = secrets[1:]
				return next, nil
			}
		})
		s.Drop(want(t, s, "t1"))
		want(t, s, "t2")
		for i, secret := range []string{"s1", "s2", "s3"} {
			require.Equal(t, secret, e.asked[i].form.Get("client_secret"))
		}
	})
}

func TestAsksNothingWithoutASecret(t *testing.T) {
	unreadable := errors.New("open secret.txt: permission denied")
	for _, tt := range []struct {
		secret func() (string, error)
		want   string
	}{
		{func() (string, error) { return "", unreadable }, "requesting an access token: reading the client secret: open secret.txt: permission denied"},
		{func() (string, error) { return "", nil }, "requesting an access token: the client secret is empty"},
	} {
		e := newEndpoint(grants("t1", time.Hour))
		_, err := e.source(func(set *Settings) { set.Secret = tt.secret }).Token(t.Context())
		require.EqualError(t, err, tt.want)
		require.Zero(t, e.count())
	}
	e := newEndpoint(grants("t1", time.Hour))
	_, err := e.source(func(set *Settings) { set.TokenURL = "https://canary:\x7f/" }).Token(t.Context())
	require.EqualError(t, err, "requesting an access token: token_url is not a valid URL")
}

func TestReadsTheLifetimeInEveryForm(t *testing.T) {
	const fallback = 20 * time.Minute
	for expiresIn, life := range map[string]time.Duration{
		`3600`: time.Hour, `"3600"`: time.Hour, `" 3600 "`: time.Hour, `3599.5`: 3599*time.Second + 500*time.Millisecond,
		`"59.5"`: 59*time.Second + 500*time.Millisecond, `3.6e3`: time.Hour,
		`null`: fallback, `0`: fallback, `-1`: fallback, `"soon"`: fallback, `""`: fallback, `"NaN"`: fallback, `"-Inf"`: fallback,
		`true`: fallback, `{}`: fallback, `[60]`: fallback,
		`999999999`: maxLifetime, `1e300`: maxLifetime, `1e999`: maxLifetime, `"Infinity"`: maxLifetime, `99999999999999999999`: maxLifetime,
	} {
		require.Equal(t, life, lifetime([]byte(expiresIn), fallback), expiresIn)
	}
	require.Equal(t, fallback, lifetime(nil, fallback))
}

func TestAssumesALifetimeWhereTheReplyGivesNone(t *testing.T) {
	for _, tt := range []struct{ set, life time.Duration }{{0, time.Hour}, {10 * time.Minute, 10 * time.Minute}} {
		virtualtime.Test(t, func(t *testing.T) {
			e := newEndpoint(reply(200, `{"access_token":"t1"}`), grants("t2", time.Hour))
			s := e.source(func(set *Settings) { set.DefaultLifetime = tt.set })
			want(t, s, "t1")
			time.Sleep(tt.life/2 - 1)
			want(t, s, "t1")
			time.Sleep(time.Nanosecond)
			want(t, s, "t2")
		})
	}
}

func TestReadsAReplyBehindAByteOrderMark(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		want(t, newEndpoint(reply(200, "\ufeff"+`{"access_token":"t1","expires_in":3600}`)).source(), "t1")
	})
}

func TestRefusesRepliesWithoutAUsableToken(t *testing.T) {
	for body, what := range map[string]string{
		``:                          "the reply is not a JSON object",
		`<html>Log in</html>`:       "the reply is not a JSON object",
		`["a"]`:                     "the reply is not a JSON object",
		`{"expires_in":3600}`:       "the reply has no access_token",
		`null`:                      "the reply has no access_token",
		`{"access_token":""}`:       "the reply has no access_token",
		`{"access_token":null}`:     "the reply has no access_token",
		`{"access_token":77}`:       "the reply has no access_token",
		`{"access_token":"a\r\nb"}`: "characters that no token has",
		`{"access_token":"a b"}`:    "characters that no token has",
		`{"access_token":"ä"}`:      "characters that no token has",
		`{"access_token":"` + strings.Repeat("a", maxToken+1) + `"}`: "too long",
	} {
		e := newEndpoint(reply(200, body))
		_, err := e.source().Token(t.Context())
		require.Equal(t, httpcall.KindProtocol, httpcall.KindOf(err))
		require.ErrorContains(t, err, what)
		require.ErrorContains(t, err, "check token_url")
		require.Equal(t, 1, e.count())
	}
}

func TestNeverTakesTheSecretToAnotherHost(t *testing.T) {
	visited := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	defer other.Close()
	for _, status := range []int{302, 307, 308} {
		for _, style := range []Style{SecretInForm, SecretInHeader, MutualTLS} {
			asked := 0
			first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				http.Redirect(w, r, other.URL+"/oauth/token", status)
			}))
			s := New(Settings{
				TokenURL: NormalizeTokenURL(first.URL), ClientID: clientID, Style: style, Caller: httpcall.New(first.Client()),
				Secret: func() (string, error) { return secret, nil },
			})
			_, err := s.Token(t.Context())
			first.Close()
			require.Equal(t, httpcall.KindRedirect, httpcall.KindOf(err))
			require.ErrorContains(t, err, "check token_url")
			require.Equal(t, 1, asked)
		}
	}
	require.False(t, visited)
}

func TestAppendsTheTokenPathOnce(t *testing.T) {
	for _, tt := range [][2]string{
		{"https://a.example", "https://a.example/oauth/token"},
		{"https://a.example/", "https://a.example/oauth/token"},
		{"https://a.example/oauth/token", "https://a.example/oauth/token"},
		{" https://a.example/oauth/token// ", "https://a.example/oauth/token"},
		{"https://a.example/base", "https://a.example/base/oauth/token"},
		{"", ""},
	} {
		require.Equal(t, tt[1], NormalizeTokenURL(tt[0]))
		require.Equal(t, tt[1], NormalizeTokenURL(tt[1]))
	}
}

func TestTellsABrokenReplyFromAMissingToken(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		broken := func(req *http.Request) (*http.Response, error) {
			body := io.MultiReader(strings.NewReader(`{"access_token":"t`), brokenReader{})
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Request: req}, nil
		}
		e := newEndpoint(broken, grants("t1", time.Hour))
		want(t, e.source(), "t1")
		require.Equal(t, []time.Duration{0, 300 * time.Millisecond}, e.times())
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
