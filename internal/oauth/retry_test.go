// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
			synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(reply(502, ""), reply(500, ""), grants("t1", time.Hour))
		want(t, e.source(), "t1")
		require.Equal(t, []time.Duration{0, 300 * time.Millisecond, 3300 * time.Millisecond}, e.times())
	})
}

func TestStopsRetryingWhenTheCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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
	for _, tt := range []struct {
		answer  answer
		refused bool
		want    string
	}{
		{
			reply(401, `{"error":"unauthorized","error_description":"Bad credentials"}`), true,
			"requesting an access token: uaa.example.com: the token endpoint refused the credentials (HTTP 401, code unauthorized): " +
				"check client_id, the client secret or certificate, and that token_url belongs to them",
		},
		{reply(400, `{"error":"invalid_scope"}`), true, "(HTTP 400, code invalid_scope): give the API client the scope"},
		{reply(401, `{"error":"unauthorized_client"}`), true, "must be allowed to use the client_credentials grant"},
		{reply(403, `<html>`), true, "(HTTP 403): check client_id"},
		{reply(404, ``), false, "(HTTP 404): check token_url"},
		{reply(200, `{}`), false, "check token_url"},
	} {
		e := newEndpoint(tt.answer)
		_, err := e.source().Token(t.Context())
		require.ErrorContains(t, err, tt.want)
		require.Equal(t, tt.refused, errors.Is(err, ErrRefused))
		require.NotContains(t, err.Error(), "Bad credentials")
	}
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
			synctest.Test(t, func(t *testing.T) {
				_, err := newEndpoint(tt.answers...).source(func(s *Settings) { s.Style = tt.style }).Token(t.Context())
				require.Equal(t, tt.kind, httpcall.KindOf(err), "%v", err)
				if tt.says != "" {
					require.ErrorContains(t, err, tt.says)
				}
			})
		})
	}
}
