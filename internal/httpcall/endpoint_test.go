// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAcceptsEndpoints(t *testing.T) {
	for _, tt := range []struct {
		raw      string
		insecure bool
		host     string
	}{
		{"https://api.example.com", false, "api.example.com"},
		{"HTTPS://api.example.com:8443/base/", false, "api.example.com:8443"},
		{"https://[2001:db8::1]:443", false, "[2001:db8::1]:443"},
		{"http://localhost:8080", false, "localhost:8080"},
		{"http://LocalHost", false, "LocalHost"},
		{"http://127.0.0.1:1", false, "127.0.0.1:1"},
		{"http://127.9.9.9", false, "127.9.9.9"},
		{"http://[::1]:8080", false, "[::1]:8080"},
		{"http://sim.example.com", true, "sim.example.com"},
	} {
		u, err := CheckEndpoint("endpoint", tt.raw, tt.insecure)
		require.NoError(t, err, tt.raw)
		require.Equal(t, tt.host, u.Host)
	}
}

func TestRefusesEndpoints(t *testing.T) {
	for raw, want := range map[string]string{
		"":                                  "token_url: must not be empty",
		"  ":                                "token_url: must not be empty",
		" https://a.example.com":            "token_url: has blanks around it",
		"https://a.example.com\n":           "token_url: has blanks around it",
		"api.example.com":                   "token_url: must begin with https://",
		"api.example.com:443":               "token_url: must begin with https://",
		"https:api.example.com":             "token_url: must begin with https://",
		"ftp://api.example.com":             "token_url: must begin with https://",
		"https://":                          "token_url: has no host",
		"https:///path":                     "token_url: has no host",
		"https://:443":                      "token_url: has no host",
		"https://a.example.com:":            "token_url: has an invalid port",
		"https://a.example.com:0":           "token_url: has an invalid port",
		"https://a.example.com:65536":       "token_url: has an invalid port",
		"https://a.example.com:port":        "token_url: is not a valid URL",
		"https://a b":                       "token_url: is not a valid URL",
		"https://a.example.com/%zz":         "token_url: is not a valid URL",
		"https://id:canary@a.example.com":   "token_url: must not contain a user name or password",
		"https://canary@a.example.com":      "token_url: must not contain a user name or password",
		"https://a.example.com?canary=1":    "token_url: must not contain a query",
		"https://a.example.com?":            "token_url: must not contain a query",
		"https://a.example.com/#canary":     "token_url: must not contain a fragment",
		"https://a.example.com#":            "token_url: must not contain a fragment",
		"http://a.example.com":              "token_url: must use https",
		"http://localhost.example.com":      "token_url: must use https",
		"http://128.0.0.1":                  "token_url: must use https",
		"http://id:canary@a.example.com/%z": "token_url: is not a valid URL",
	} {
		u, err := CheckEndpoint("token_url", raw, false)
		require.Nil(t, u)
		require.ErrorContains(t, err, want, "%q", raw)
		require.NotContains(t, err.Error(), "canary")
	}
}
