// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// CheckEndpoint parses the base URL that a config gives under key and refuses what would send credentials astray: anything
// but https (plain http is accepted to a loopback address, or everywhere if insecure), user info, a query, a fragment. The
// errors name the key and the cure and never show the value, which may hold a password.
func CheckEndpoint(key, raw string, insecure bool) (*url.URL, error) {
	fail := func(text string) (*url.URL, error) { return nil, errors.New(key + ": " + text) }

	if strings.TrimSpace(raw) == "" {
		return fail("must not be empty; give a URL such as https://api.example.com")
	}
	u, err := url.Parse(raw)
	switch {
	case strings.TrimSpace(raw) != raw:
		return fail("has blanks around it; remove them")
	case !strings.Contains(raw, "://"):
		return fail("must begin with https://")
	case err != nil:
		return fail("is not a valid URL; give one such as https://api.example.com")
	case u.Scheme != "https" && u.Scheme != "http":
		return fail("must begin with https://")
	case u.User != nil:
		return fail("must not contain a user name or password; remove everything up to the @ and use the credential settings")
	case u.Hostname() == "":
		return fail("has no host; give a URL such as https://api.example.com")
	case !validPort(u):
		return fail("has an invalid port; ports go from 1 to 65535")
	case strings.Contains(raw, "?"):
		return fail("must not contain a query; remove the ? and what follows")
	case strings.Contains(raw, "#"):
		return fail("must not contain a fragment; remove the # and what follows")
	case u.Scheme == "http" && !insecure && !loopback(u.Hostname()):
		return fail("must use https; plain http would send credentials in the clear (it is accepted to a loopback address, or with tls.insecure: true)")
	}
	return u, nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
