// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
)

func TestClientSettingsThatCannotWorkAreRejectedWithoutTheirValues(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*confighttp.ClientConfig)
		says   string // empty: accepted
	}{
		"the default":          {func(*confighttp.ClientConfig) {}, ""},
		"TLS 1.1":              {func(c *confighttp.ClientConfig) { c.TLS.MinVersion = "1.1" }, "tls.min_version 1.1 is not safe"},
		"TLS 1.3":              {func(c *confighttp.ClientConfig) { c.TLS.MinVersion = "1.3" }, ""},
		"own authorization":    {func(c *confighttp.ClientConfig) { c.Headers.Set("authorization", "canary") }, "headers sets Authorization"},
		"proxy":                {proxy("http://proxy.example.com:3128"), ""},
		"proxy with password":  {proxy("https://user:canary@proxy.example.com"), ""},
		"SOCKS proxy":          {proxy("socks5://127.0.0.1:1080"), ""},
		"proxy without scheme": {proxy("proxy.example.com:3128"), "proxy_url is not the URL of a proxy"},
		"proxy without host":   {proxy("http://:3128"), "proxy_url is not the URL of a proxy"},
		"proxy of another use": {proxy("ftp://proxy.example.com"), "proxy_url is not the URL of a proxy"},
		"proxy with bad port":  {proxy("http://proxy.example.com:0"), "proxy_url is not the URL of a proxy"},
		"password not encoded": {proxy("http://user:canary%@proxy.example.com"), "percent-encoded"},
	} {
		t.Run(name, func(t *testing.T) {
			c := confighttp.NewDefaultClientConfig()
			tc.change(&c)
			err := CheckClient(&c)
			if tc.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.says)
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

func proxy(url string) func(*confighttp.ClientConfig) {
	return func(c *confighttp.ClientConfig) { c.ProxyURL = url }
}

func TestAProxyIsPrintedWithoutItsPassword(t *testing.T) {
	for raw, printed := range map[string]string{
		"":                                        "",
		"http://proxy.example.com:3128":           "http://proxy.example.com:3128",
		"http://user@proxy.example.com:3128":      "http://user@proxy.example.com:3128",
		"http://user:canary@proxy.example.com":    "http://user:REDACTED@proxy.example.com",
		"socks5://user:canary@[::1]:1080":         "socks5://user:REDACTED@[::1]:1080",
		"http://user:canary%@proxy.example.com":   "[REDACTED]",
		"http://user:can ary@proxy.example.com:x": "[REDACTED]",
	} {
		require.Equal(t, printed, WithoutProxyPassword(raw))
	}
}
