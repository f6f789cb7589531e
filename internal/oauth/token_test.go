// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func tokenOf(text string) Token { return Token{value: &text} }

func TestATokenCannotBePrinted(t *testing.T) {
	const canary = "canary-token"
	token := tokenOf(canary)
	inside := struct {
		Token Token
		inner Token
		list  []Token
	}{token, token, []Token{token}}

	var out strings.Builder
	for _, v := range []any{token, &token, inside, &inside, map[string]Token{"a": token}, []any{token}} {
		fmt.Fprintf(&out, "%v %+v %#v %s %q %x %d %T\n", v, v, v, v, v, v, v, v)
		text, err := json.Marshal(v)
		require.NoError(t, err)
		out.Write(text)
		zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.DebugLevel)).
			Info("x", zap.Any("v", v), zap.Reflect("r", v))
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	fmt.Fprint(&out, token.String(), token.GoString())
	require.NotContains(t, out.String(), canary)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", canary))
	require.Contains(t, out.String(), redacted)
}

func TestNothingSecretLeavesASource(t *testing.T) {
	const canary = "canarytoken7"
	for name, answer := range map[string]answer{
		"echoing refusal":   reply(401, `{"error":"`+secret+`","error_description":"`+secret+`"}`),
		"echo in the code":  reply(400, `{"error":{"code":"plainsecret"}}`),
		"echo in longer":    reply(400, `{"error":"bad_plainsecret_"}`),
		"server failure":    reply(500, secret+canary),
		"throttled":         reply(429, secret, "Retry-After", secret),
		"redirect":          reply(308, secret, "Location", "https://b/?"+secret),
		"not a token":       reply(200, `{"access_token":["`+canary+`"],"secret":"`+secret+`"}`),
		"damaged":           reply(200, `{"access_token":"`+canary+`"`),
		"token with a line": reply(200, `{"access_token":"`+canary+`\n"}`),
	} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				for _, secret := range []string{secret, "plainsecret"} {
					e := newEndpoint(grants(canary, time.Hour), answer)
					core, logs := observer.New(zap.DebugLevel)
					var out strings.Builder
					s := e.source(func(set *Settings) {
						set.Logger = zap.New(core)
						set.Secret = func() (string, error) { return secret, nil }
						set.OnRefresh = func(err error) { fmt.Fprintf(&out, "%+v", err) }
					})
					want(t, s, canary)
					time.Sleep(30 * time.Minute)
					want(t, s, canary)
					time.Sleep(30 * time.Minute)
					_, err := s.Token(t.Context())
					require.Error(t, err)

					asJSON, jsonErr := json.Marshal(err)
					require.NoError(t, jsonErr)
					fmt.Fprintf(&out, "%v %+v %#v %s %+v %#v %+v", err, err, err, asJSON, s, s, struct{ s *Source }{s})
					require.Equal(t, 1, logs.FilterLevelExact(zap.WarnLevel).Len())
					for _, entry := range logs.All() {
						fmt.Fprint(&out, entry.Message, entry.ContextMap())
					}
					require.NotContains(t, out.String(), canary)
					require.NotContains(t, out.String(), secret)
				}
			})
		})
	}
}

func TestReadsClaimsOfAJWT(t *testing.T) {
	jwt := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
	}
	for name, tt := range map[string]struct{ token, want string }{
		"claim":            {jwt(`{"zid":"6a1f","exp":1}`), "6a1f"},
		"with padding":     {"e30." + base64.URLEncoding.EncodeToString([]byte(`{"zid":"6a1f"}`)) + ".c2ln", "6a1f"},
		"none":             {jwt(`{"exp":1}`), ""},
		"not a string":     {jwt(`{"zid":7}`), ""},
		"null":             {jwt(`{"zid":null}`), ""},
		"not an object":    {jwt(`["zid"]`), ""},
		"not JSON":         {jwt(`zid`), ""},
		"not base64":       {"e30.!!.c2ln", ""},
		"opaque":           {"0123456789abcdef", ""},
		"encrypted":        {"a.b.c.d.e", ""},
		"too long a claim": {jwt(`{"zid":"` + strings.Repeat("a", maxClaim+1) + `"}`), ""},
		"too long":         {jwt(`{"zid":"6a1f","pad":"` + strings.Repeat("a", maxPayload) + `"}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, tokenOf(tt.token).Claim("zid"))
		})
	}
	require.Empty(t, Token{}.Claim("zid"))
}

func TestTheZeroTokenAuthorizesNothing(t *testing.T) {
	require.True(t, Token{}.IsZero())
	require.Empty(t, bearer(t, Token{}))
	require.Equal(t, "abc", bearer(t, tokenOf("abc")))
}
