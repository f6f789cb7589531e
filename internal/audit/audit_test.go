// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClientIsFoundInEveryForm(t *testing.T) {
	for text, want := range map[string]Endpoint{
		"198.51.100.7":                     {Address: "198.51.100.7"},
		" 198.51.100.7 ":                   {Address: "198.51.100.7"},
		"198.51.100.7:4711":                {Address: "198.51.100.7", Port: 4711},
		"198.51.100.7, 10.0.0.1, 10.0.0.2": {Address: "198.51.100.7"},
		"unknown, 198.51.100.7":            {Address: "198.51.100.7"},
		"/198.51.100.7:80":                 {Address: "198.51.100.7", Port: 80},
		"for=198.51.100.7;proto=https":     {Address: "198.51.100.7"},
		`for="[2001:DB8::1]:443"`:          {Address: "2001:db8::1", Port: 443},
		"2001:0db8:0:0:0:0:0:1":            {Address: "2001:db8::1"},
		"[2001:db8::1]":                    {Address: "2001:db8::1"},
		"::ffff:198.51.100.7":              {Address: "198.51.100.7"},
		"fe80::1%eth0":                     {Address: "fe80::1", Private: true},
		"10.1.2.3":                         {Address: "10.1.2.3", Private: true},
		"100.64.0.1":                       {Address: "100.64.0.1", Private: true},
		"":                                 {},
		"-":                                {},
		"Unknown":                          {},
		"198.51.100.256":                   {},
		"198.51.100.7:99999":               {},
		"[2001:db8::1":                     {},
		"198.51.100.7 and more, also 203.0.113.9 ": {Address: "198.51.100.7"},
	} {
		require.Equal(t, want, ClientOf(text), text)
	}
}

func TestAddressHasOneSpelling(t *testing.T) {
	for text, want := range map[string]Endpoint{
		"198.51.100.1": {Address: "198.51.100.1"}, "10.0.0.1": {Address: "10.0.0.1", Private: true}, "::1": {Address: "::1", Private: true},
		"2001:DB8:0::1": {Address: "2001:db8::1"}, "[2001:db8::1]:80": {Address: "2001:db8::1", Port: 80}, "::FFFF:198.51.100.1": {Address: "198.51.100.1"},
		"198.51.100.1:65535": {Address: "198.51.100.1", Port: 65535}, "host/198.51.100.1:80": {Address: "198.51.100.1", Port: 80},
		"unknown, 198.51.100.1, 10.0.0.1": {Address: "198.51.100.1"}, "for=198.51.100.1;by=10.0.0.1": {Address: "198.51.100.1"}, `"198.51.100.1"`: {Address: "198.51.100.1"},
		"": {}, "-": {}, "unknown": {}, "198.51.100": {}, "198.51.100.1:65536": {}, "198.51.100.1:": {Address: "198.51.100.1"}, "[2001:db8::1": {}, "[::1]x": {}, "010.0.0.1": {}, "dead beef": {},
	} {
		require.Equal(t, want, ClientOf(text), text)
	}
}

func TestIsHostName(t *testing.T) {
	for text, want := range map[string]bool{
		"host.example.org": true, "a.b": true, "host": false, "198.51.100.7": false, "": false, "a b.c": false, ".c": false, "Unknown": false,
	} {
		require.Equal(t, want, IsHostName(text), text)
	}
}

func TestIsPlaceholder(t *testing.T) {
	for _, p := range placeholders {
		require.LessOrEqual(t, len(p), maxPlaceholder)
		require.True(t, IsPlaceholder(p), p)
	}
	for name, want := range map[string]bool{
		"": true, "  ": true, "-": true, "Unknown": true, " unknown ": true, "UNKNOWN_USER": true, "anonymousUser": true, "N/A": true,
		"Possible External Application Or Not Logged In User": true, "user not logged in": true,
		"ann": false, "unknown@example.org": false, "ann unknown": false, "Nobody Owens": false, "not logged": false,
	} {
		require.Equal(t, want, IsPlaceholder(name), name)
	}
}
