// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServiceLinesAreReadPartByPart(t *testing.T) {
	for name, tt := range map[string]struct {
		line string
		want uaaEvent
	}{
		"client": {
			"ClientAuthenticationSuccess ('Client authentication success'): principal=sb-x!b1|y!b2, origin=[remoteAddress=192.0.2.1, clientId=sb-x!b1|y!b2], identityZoneId=[z1]",
			uaaEvent{typ: "ClientAuthenticationSuccess", text: "Client authentication success", principal: "sb-x!b1|y!b2", remoteAddress: "192.0.2.1", client: "sb-x!b1|y!b2", zone: "z1"},
		},
		"all parts": {
			"UserAuthenticationFailure ('ann'): principal=null, origin=[remoteAddress=192.0.2.1, clientId=c, sessionId=<SESSION>], identityZoneId=[z1], authenticationType=[password], detailedDescription=[no [such] user]",
			uaaEvent{typ: "UserAuthenticationFailure", text: "ann", remoteAddress: "192.0.2.1", client: "c", zone: "z1", authenticationType: "password", detailedMessage: "no [such] user"},
		},
		"description alone": {
			"X ('t'): principal=p, origin=[], identityZoneId=[z], detailedDescription=[d]",
			uaaEvent{typ: "X", text: "t", principal: "p", zone: "z", detailedMessage: "d"},
		},
		"user and client": {
			"TokenIssuedEvent ('[\"a\"]'): principal=p, origin=[client=c, user=ann@example.org], identityZoneId=[z]",
			uaaEvent{typ: "TokenIssuedEvent", text: `["a"]`, principal: "p", client: "c", user: "ann@example.org", zone: "z"},
		},
		"values that stand for none": {
			"X ('t'): principal=-, origin=[caller=null, clientId=undefined], identityZoneId=[null]",
			uaaEvent{typ: "X", text: "t"},
		},
		"chosen user imitates an address": {
			"X ('t'): principal=p, origin=[remoteAddress=192.0.2.1, user=a, remoteAddress=203.0.113.9], identityZoneId=[z]",
			uaaEvent{typ: "X", text: "t", principal: "p", remoteAddress: "192.0.2.1", user: "a", zone: "z"},
		},
		"chosen name imitates the parts": {
			"X ('a'): principal=admin, origin=[remoteAddress=203.0.113.9], identityZoneId=[z]'): principal=null, origin=[remoteAddress=192.0.2.1], identityZoneId=[z]",
			uaaEvent{typ: "X"},
		},
		"chosen principal imitates the origin": {
			"X ('t'): principal=p, origin=[remoteAddress=203.0.113.9], identityZoneId=[y], origin=[remoteAddress=192.0.2.1], identityZoneId=[z]",
			uaaEvent{typ: "X"},
		},
		"cut off": {
			"X ('t'): principal=p, origin=[remoteAddr",
			uaaEvent{typ: "X"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseUAA(tt.line)
			require.True(t, ok)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestOtherTextsAreNoServiceLines(t *testing.T) {
	for _, text := range []string{
		"", "plain", "('t'): principal=p", "Two words ('t'): principal=p", "Type ('t')", "Type (t): principal=p", "SAML failed: principal=x",
	} {
		ev, ok := parseUAA(text)
		require.False(t, ok, text)
		require.Equal(t, uaaEvent{}, ev)
	}
}

func TestPairsAreReadWithEverySeparator(t *testing.T) {
	for text, want := range map[string][]pair{
		`action="delete"`:                         {{"action", "delete"}},
		`a="1" b="2"`:                             {{"a", "1"}, {"b", "2"}},
		" a=\"1\",\tb=\"2\" ;\r\nc=\"\" ":         {{"a", "1"}, {"b", "2"}, {"c", ""}},
		`a="x=y, z" b="c d"`:                      {{"a", "x=y, z"}, {"b", "c d"}},
		`new="{"k":"v"}" old=""quoted"" x="1"`:    {{"new", `{"k":"v"}`}, {"old", `"quoted"`}, {"x", "1"}},
		`a="1"b" c="2"`:                           {{"a", `1"b`}, {"c", "2"}},
		`a="1"b="2"`:                              {{"a", `1"b="2`}},
		`a.b-c_d="Grüße & <x>" e="line` + "\n2\"": {{"a.b-c_d", "Grüße & <x>"}, {"e", "line\n2"}},
	} {
		got, ok := parsePairs(text, nil)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
}

func TestOtherTextsHoldNoPairs(t *testing.T) {
	kept := []pair{{"kept", "1"}}
	for _, text := range []string{
		"", " ", "text", `a=1`, `a="1`, `a="1" rest`, `="1"`, `a="1" b=2`, `say a="1"`, `"a"="1"`,
		strings.Repeat(`k="v" `, maxPairs+1), strings.Repeat("k", maxKey+1) + `="v"`,
	} {
		got, ok := parsePairs(text, kept)
		require.False(t, ok, text)
		require.Equal(t, kept, got)
	}
}

func TestNamesBecomeSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "action": "action", "objectType": "object_type", "wsID": "ws_id", "clusterID": "cluster_id", "IDPName": "idp_name", "A": "a",
		"already_snake": "already_snake", "sha256Sum": "sha256_sum", "ObjectID": "object_id", "größeXL": "größe_xl",
	} {
		require.Equal(t, want, snakeCase(name))
	}
}
