// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

func TestRetriesAsPrescribed(t *testing.T) {
	const ms = time.Millisecond
	for name, tt := range map[string]struct {
		answer answer
		times  []time.Duration
		kind   httpcall.Kind
	}{
		"no connection":          {unreachable, []time.Duration{0, 300 * ms, 900 * ms}, httpcall.KindNetwork},
		"408":                    {reply(408, ""), []time.Duration{0, 300 * ms, 900 * ms}, httpcall.KindTimeout},
		"502":                    {reply(502, "<html>"), []time.Duration{0, 300 * ms, 900 * ms}, httpcall.KindServer},
		"504":                    {reply(504, ""), []time.Duration{0, 300 * ms, 900 * ms}, httpcall.KindServer},
		"500":                    {reply(500, ""), []time.Duration{0, 1000 * ms, 4000 * ms}, httpcall.KindServer},
		"503":                    {reply(503, ""), []time.Duration{0, 1000 * ms, 4000 * ms}, httpcall.KindServer},
		"503, come back":         {reply(503, "", "Retry-After", "2"), []time.Duration{0, 2000 * ms, 4000 * ms}, httpcall.KindServer},
		"429":                    {reply(429, ""), []time.Duration{0, 1000 * ms, 4000 * ms}, httpcall.KindThrottled},
		"429, come back":         {reply(429, "", "Retry-After", "5"), []time.Duration{0, 5000 * ms, 10000 * ms}, httpcall.KindThrottled},
		"429, come back at once": {reply(429, "", "Retry-After", "0"), []time.Duration{0, 1000 * ms, 4000 * ms}, httpcall.KindThrottled},
		"429, come back later":   {reply(429, "", "Retry-After", "60"), []time.Duration{0}, httpcall.KindThrottled},
		"400":                    {reply(400, ""), []time.Duration{0}, httpcall.KindClient},
		"401":                    {reply(401, ""), []time.Duration{0}, httpcall.KindUnauthorized},
		"403":                    {reply(403, ""), []time.Duration{0}, httpcall.KindForbidden},
		"404":                    {reply(404, ""), []time.Duration{0}, httpcall.KindClient},
		"501":                    {reply(501, ""), []time.Duration{0}, httpcall.KindNotImplemented},
		"redirect":               {reply(307, "", "Location", "https://b"), []time.Duration{0}, httpcall.KindRedirect},
		"no token":               {reply(200, "{}"), []time.Duration{0}, httpcall.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				e := newEndpoint(tt.answer)
				told := 0
				s := e.source(func(set *Settings) { set.OnRefresh = func(error) { told++ } })
				_, err := s.Token(t.Context())
				require.Equal(t, tt.kind, httpcall.KindOf(err))
				require.Equal(t, tt.times, e.times())
				require.Equal(t, 1, told)
			})
		})
	}
}

func TestStopsRetryingOnceATokenCame(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(reply(502, ""), reply(500, ""), grants("t1", time.Hour))
		want(t, e.source(), "t1")
		require.Equal(t, []time.Duration{0, 300 * time.Millisecond, 3300 * time.Millisecond}, e.times())
	})
}

func TestStopsRetryingWhenTheCallerLeaves(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(reply(503, ""))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := e.source().Token(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 500*time.Millisecond, time.Since(begin))
		require.Equal(t, 1, e.count())
	})
}

func TestLeavesAThrottlingEndpointAlone(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(reply(429, "", "Retry-After", "60"), grants("t1", 2*time.Minute), reply(429, "", "Retry-After", "40"), grants("t2", time.Hour))
		s := e.source()
		for _, left := range []int{60, 50, 40} {
			_, err := s.Token(t.Context())
			var call *httpcall.Error
			require.ErrorAs(t, err, &call)
			require.Equal(t, time.Duration(left)*time.Second, call.RetryAfter)
			require.Equal(t, 1, e.count())
			time.Sleep(10 * time.Second)
		}
		time.Sleep(30 * time.Second)
		want(t, s, "t1")
		time.Sleep(time.Minute) // half of its life: throttled, but the old token is good still
		for range 4 {
			want(t, s, "t1")
			time.Sleep(10 * time.Second)
		}
		require.Equal(t, 3, e.count())
		want(t, s, "t2")
	})
}

func TestTellsARefusalOfTheCredentialsFromOtherFailures(t *testing.T) {
	const credentials, scope = "the token endpoint refused the credentials", "the token endpoint refused the scope"
	for _, tt := range []struct {
		answer answer
		is     error
		want   string
	}{
		{
			reply(401, `{"error":"unauthorized","error_description":"Bad credentials"}`), ErrRefused,
			"requesting an access token: uaa.example.com: " + credentials + ` (HTTP 401, code unauthorized, described as "Bad credentials"): ` +
				"check client_id, the client secret or certificate, and that token_url belongs to them",
		},
		{
			reply(401, `{"error":"invalid_client","error_description":"No client with requested id: sb-1!b1|audit!b2"}`), ErrRefused,
			credentials + ` (HTTP 401, code invalid_client, described as "No client with requested id: sb-1!b1|audit!b2"): check client_id`,
		},
		{reply(400, `{"error":"invalid_client"}`), ErrRefused, credentials + " (HTTP 400, code invalid_client): check client_id"},
		{reply(400, `{"error":"unauthorized"}`), ErrRefused, credentials + " (HTTP 400, code unauthorized)"},
		{reply(400, `{"error":"invalid_grant"}`), ErrRefused, credentials + " (HTTP 400, code invalid_grant)"},
		{reply(400, `{"error":"access_denied"}`), ErrRefused, credentials + " (HTTP 400, code access_denied)"},
		{reply(400, `{"error":"invalid_scope"}`), ErrRefused, scope + " (HTTP 400, code invalid_scope): give the API client the scope"},
		{reply(401, `{"error":"unauthorized_client"}`), ErrRefused, "refused the grant to this client (HTTP 401, code unauthorized_client): the client must be allowed"},
		{reply(400, `{"error":"unsupported_grant_type"}`), ErrRejected, "does not know the client_credentials grant (HTTP 400, code unsupported_grant_type): check token_url"},
		{
			reply(400, `{"error":"invalid_request","error_description":"Missing grant type"}`), ErrRejected,
			`did not accept the request (HTTP 400, code invalid_request, described as "Missing grant type"): check token_url`,
		},
		{reply(400, `{"error":"temporarily_unavailable"}`), ErrRejected, "did not accept the request (HTTP 400"},
		{reply(400, ``), ErrRejected, "did not accept the request (HTTP 400): check token_url"},
		{reply(403, `<html>`), ErrRefused, credentials + " (HTTP 403): check client_id"},
		{reply(404, ``), nil, "(HTTP 404): check token_url"},
		{reply(200, `{}`), nil, "check token_url"},
	} {
		e := newEndpoint(tt.answer)
		_, err := e.source().Token(t.Context())
		require.ErrorContains(t, err, tt.want)
		require.Equal(t, errors.Is(tt.is, ErrRefused), errors.Is(err, ErrRefused), "%v", err)
		require.Equal(t, errors.Is(tt.is, ErrRejected), errors.Is(err, ErrRejected), "%v", err)
		if !errors.Is(tt.is, ErrRefused) {
			require.NotContains(t, err.Error(), "refused the credentials")
		}
		require.Equal(t, 1, e.count())
	}
}

func TestTheDescriptionOfARefusalHasNothingOfTheSecret(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte(clientID + ":" + secret))
	for name, described := range map[string]string{
		"whole":                 "wrong secret " + secret + " for the client",
		"a part":                "wrong secret starting with " + secret[:7],
		"its end":               "…" + secret[len(secret)-6:],
		"in capital letters":    strings.ToUpper(secret),
		"as it is sent":         url.QueryEscape(secret),
		"with blanks in it":     "cana\u200bry+$=\u202esec ret|%2B",
		"the header":            "Basic " + basic,
		"a part of the header":  basic[10:30],
		"an assertion":          "assertion the-proof-of-it is not signed",
		"somebody's token":      "token eyJhbGciOiJub25lIn0.e30. is expired",
		"somebody's long words": strings.Repeat("0123456789abcdef", 4),
	} {
		t.Run(name, func(t *testing.T) {
			s := newEndpoint(reply(401, `{"error":"unauthorized","error_description":"`+described+`"}`)).source(func(set *Settings) {
				set.Style = SecretInHeader
				set.Params = url.Values{"client_assertion": {"the-proof-of-it"}}
			})
			_, err := s.Token(t.Context())
			require.ErrorIs(t, err, ErrRefused)
			require.ErrorContains(t, err, "(HTTP 401, code unauthorized): check")
		})
	}
}

func TestAProxyThatWantsAPasswordIsNotAskedAgainAtOnce(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		e := newEndpoint(reply(407, `{"error":"nope"}`))
		_, err := e.source().Token(t.Context())
		require.ErrorContains(t, err, "the proxy answered that it wants a user and password (HTTP 407, code nope): put them into proxy_url or HTTPS_PROXY")
		require.NotContains(t, err.Error(), "check token_url")
		require.Equal(t, 1, e.count())
	})
}

// With TLS 1.3 the refusal of a client certificate can be a connection that is cut after the handshake.
func TestTakesACutConnectionForARefusalOfTheCertificate(t *testing.T) {
	cut := func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		trace.TLSHandshakeDone(tls.ConnectionState{}, nil)
		trace.GotConn(httptrace.GotConnInfo{})
		return nil, io.EOF
	}
	for name, tt := range map[string]struct {
		style   Style
		answers []answer
		kind    httpcall.Kind
		says    string
	}{
		"certificate":            {MutualTLS, []answer{cut}, httpcall.KindTLS, "probably refuses the client certificate"},
		"secret":                 {SecretInForm, []answer{cut}, httpcall.KindNetwork, "closed the connection without a reply"},
		"no connection":          {MutualTLS, []answer{unreachable}, httpcall.KindNetwork, "closed the connection without a reply"},
		"it passes within a try": {MutualTLS, []answer{cut, cut, grants("t1", time.Hour)}, httpcall.KindUnknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				_, err := newEndpoint(tt.answers...).source(func(s *Settings) { s.Style = tt.style }).Token(t.Context())
				require.Equal(t, tt.kind, httpcall.KindOf(err), "%v", err)
				if tt.says != "" {
					require.ErrorContains(t, err, tt.says)
				}
			})
		})
	}
}
