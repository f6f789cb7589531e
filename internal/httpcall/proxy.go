// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// refusedConnect is a proxy's answer to CONNECT that is not 200.
type refusedConnect struct{ status int }

func (r *refusedConnect) Error() string {
	return "the proxy answered CONNECT with status " + strconv.Itoa(r.status)
}

// keepConnectStatus makes a transport tell the status of a proxy's answer to CONNECT. By itself it keeps no more than the text
// beside it, which is the proxy's own.
func keepConnectStatus(transport http.RoundTripper) {
	t, ok := transport.(*http.Transport)
	if !ok {
		return
	}
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, reply *http.Response) error {
		if reply.StatusCode != http.StatusOK {
			return &refusedConnect{reply.StatusCode}
		}
		return nil
	}
}

// proxyOf returns the host and port of the proxy through which u was asked, given where the connection was to go. It is empty
// where there is none, or where that cannot be told.
func proxyOf(asked string, u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	own := net.JoinHostPort(u.Hostname(), port)
	isASCII := !strings.ContainsFunc(own, func(r rune) bool { return r > '~' }) // others are asked under another spelling
	if asked == "" || !isASCII || strings.EqualFold(asked, own) {
		return ""
	}
	return asked
}

// explainProxy fills e if err comes from a proxy. The proxy's name is that of proxyOf, and may be empty.
func explainProxy(e *Error, err error, proxy string) bool {
	var (
		answer    *refusedConnect
		operation *net.OpError
		dns       *net.DNSError
	)
	switch {
	case errors.As(err, &answer):
		explainAnswer(e, proxy, answer.status)
		return true
	case !errors.As(err, &operation):
		return false
	case operation.Op == "socks connect":
		e.Kind, e.What = KindNetwork, named("the SOCKS proxy", proxy)+" did not open the connection"
		e.Hint = "check the user and password in proxy_url, and that the proxy allows the host and can reach it"
		return true
	case operation.Op != "proxyconnect":
		return false
	}
	e.Kind, e.What = KindNetwork, "the proxy cannot be reached"
	if proxy != "" {
		e.What += " at " + proxy
	}
	if errors.As(err, &dns) {
		e.What += ": its name cannot be resolved"
	} else {
		e.What += ": " + reason(err)
	}
	e.Hint = "check proxy_url or the proxy variables of the environment (HTTPS_PROXY, HTTP_PROXY)"
	return true
}

// explainAnswer says what a proxy means by the status of its answer, which is not the server's.
func explainAnswer(e *Error, proxy string, status int) {
	e.Kind = KindNetwork
	answered := named("the proxy", proxy) + " answered"
	if e.Status == 0 { // else it is told anyway
		answered += " HTTP " + strconv.Itoa(status)
	}
	switch status {
	case http.StatusProxyAuthRequired:
		e.What = answered + " that it wants a user and password"
		e.Hint = "put them into proxy_url or HTTPS_PROXY, as in http://user:password@proxy.example.com:3128, special characters percent-encoded"
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed:
		e.What = answered + " that it does not let this connection through"
		e.Hint = "have the host and its port allowed there, or set proxy_url or HTTPS_PROXY to the right proxy"
	case http.StatusNotFound, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.What = answered + " that it cannot reach the host"
		e.Hint = "check the host in the configured address, and whether this is the right proxy (proxy_url or HTTPS_PROXY)"
	default:
		e.What = answered + " and opened no connection"
		e.Hint = "check proxy_url or HTTPS_PROXY"
	}
}

func named(what, name string) string {
	if name == "" {
		return what
	}
	return what + " " + name
}
