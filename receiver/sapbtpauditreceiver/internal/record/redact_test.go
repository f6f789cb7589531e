// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestTokensLeaveNoTrace(t *testing.T) {
	const opaque, web = "0a1b2c3d4e5f60718293", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3NyJ9.c2lnbmF0dXJl-_x"
	for text, want := range map[string]string{
		"details=(tokenType=bearerTokenValue=" + opaque + ", sub=1)":  "details=(tokenType=bearerTokenValue=<TOKEN>, sub=1)",
		"tokenType=bearer, tokenValue=" + web + ")":                   "tokenType=bearer, tokenValue=<TOKEN>)",
		"tokenValue=<TOKEN>, sub=1":                                   "tokenValue=<TOKEN>, sub=1",
		"Authorization: Bearer " + web:                                "Authorization: Bearer <TOKEN>",
		"cut " + web[:30]:                                             "cut <TOKEN>",
		`{"access_token":"` + opaque + `","x":1}`:                     `{"access_token":"<TOKEN>","x":1}`,
		`{"refresh_token" : "` + opaque + `"}`:                        `{"refresh_token" : "<TOKEN>"}`,
		"id_token=" + opaque + "&x=1":                                 "id_token=<TOKEN>&x=1",
		`grant_type=refresh_token, has_token=yes, eyJ eyJx.y, token=`: `grant_type=refresh_token, has_token=yes, eyJ eyJx.y, token=`,
	} {
		got, redacted := redact(text)
		require.Equal(t, want, got)
		require.Equal(t, text != want, redacted)

		// The same at every depth of JSON in strings.
		wrapped := wrap(t, "audit.security-events", object{"data": text})
		got, _ = redact(wrapped)
		var outer struct{ Message string }
		var message struct{ Data string }
		require.NoError(t, json.Unmarshal([]byte(got), &outer))
		require.NoError(t, json.Unmarshal([]byte(outer.Message), &message))
		require.Equal(t, want, message.Data)

		m := testMapper(func(o *Options) { o.Body, o.IncludeOriginal = BodyString, true })
		rec := mapOne(t, m, wrapped)
		require.Equal(t, got, rec.Body().Str())
		require.Equal(t, got, attr(t, rec, attrOriginal))
		for key, v := range mapOne(t, testMapper(nil), wrapped).Attributes().All() {
			require.NotContains(t, v.AsString(), opaque, key)
			require.NotContains(t, v.AsString(), web[:30], key)
		}
	}
}

func TestRecordWithATokenIsTakenApartLikeAnyOther(t *testing.T) {
	const line = "ClientAuthenticationSuccess ('Client authentication success'): principal=sb-1, origin=[remoteAddress=203.0.113.5, clientId=sb-1, " +
		"details=(tokenType=bearer, tokenValue=%)], identityZoneId=[z]"
	said := func(token string) string {
		return wrap(t, "audit.security-events", object{"data": strings.Replace(line, "%", token, 1), "user": "client/sb-1"})
	}
	got, want := mapOne(t, testMapper(nil), said("0a1b2c3d4e5f60718293")), mapOne(t, testMapper(nil), said(redactedToken))
	require.Equal(t, pcommon.ValueTypeMap, got.Body().Type())
	require.Equal(t, want.Body().AsRaw(), got.Body().AsRaw())
	require.Equal(t, "login", attr(t, got, attrAction))
	got.Attributes().Remove(attrUID)
	want.Attributes().Remove(attrUID) // a digest of the record with its token
	require.Equal(t, want.Attributes().AsRaw(), got.Attributes().AsRaw())
}
