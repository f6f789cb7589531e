// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
)

// CheckClient returns an error for each setting of an HTTP client that is unsafe or cannot work. The errors name the key and
// the cure, and quote no value.
func CheckClient(c *confighttp.ClientConfig) error {
	return errors.Join(checkTLSVersion(c.TLS.MinVersion), checkProxy(c.ProxyURL), checkHeaders(c))
}

// CheckFiles returns an error if a file of the tls section is missing or does not hold what it is to hold. It quotes nothing of them.
func CheckFiles(c *confighttp.ClientConfig) error {
	if _, err := c.TLS.LoadTLSConfig(context.Background()); err != nil {
		return fmt.Errorf("tls: %w; check ca_file, cert_file and key_file", err)
	}
	return nil
}

// checkTLSVersion rejects versions that are no longer safe (RFC 8996). Empty means the default, 1.2.
func checkTLSVersion(minimum string) error {
	if minimum == "1.0" || minimum == "1.1" {
		return errors.New("tls.min_version " + minimum + " is not safe; use 1.2, the default, or 1.3")
	}
	return nil
}

func checkHeaders(c *confighttp.ClientConfig) error {
	for name := range c.Headers.Iter {
		if strings.EqualFold(name, "Authorization") {
			return errors.New("headers sets Authorization, which would replace the token of each request; " +
				"remove it and give the credentials in their own keys")
		}
	}
	return nil
}

// proxySchemes are those that net/http can use.
var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

// checkProxy finds mistakes here because the error of net/url would print the password.
func checkProxy(raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || !slices.Contains(proxySchemes, u.Scheme) || u.Hostname() == "" || !validPort(u) {
		return errors.New("proxy_url is not the URL of a proxy; give one such as http://proxy.example.com:3128, " +
			"with special characters of a password percent-encoded")
	}
	return nil
}

// WithoutProxyPassword returns a proxy_url for printing, as confighttp does not know that it can hold a password.
func WithoutProxyPassword(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "[REDACTED]"
	}
	if _, set := u.User.Password(); !set {
		return raw
	}
	u.User = url.UserPassword(u.User.Username(), "REDACTED")
	return u.String()
}
