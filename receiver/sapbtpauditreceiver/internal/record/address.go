// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxHops bounds how many elements of a forwarded chain are looked at.
const maxHops = 32

// endpoint is the address of a client, in its normal spelling, and the port if the text names one.
type endpoint struct {
	address string
	port    int64
	// private says that the address tells nothing outside of its own network.
	private bool
}

// clientOf reads the address of a client: alone, in brackets, with a port, behind a slash as Java writes it, in the form of
// RFC 7239 ("for=…"), or in a chain of forwarders, whose first address is the client's. The result is the zero endpoint if there is none.
func clientOf(text string) endpoint {
	if present(text) == "" {
		return endpoint{}
	}
	for range maxHops {
		element, rest, more := cutHop(text)
		if at, ok := parseEndpoint(element); ok {
			return at
		}
		if !more {
			break
		}
		text = rest
	}
	return endpoint{}
}

func cutHop(chain string) (element, rest string, more bool) {
	i := strings.IndexAny(chain, ",; ")
	if i < 0 {
		return chain, "", false
	}
	return chain[:i], chain[i+1:], true
}

func parseEndpoint(s string) (endpoint, bool) {
	s = strings.Trim(s, "\"' \t\r\n")
	if len(s) > 4 && strings.EqualFold(s[:4], "for=") {
		s = strings.Trim(s[4:], "\"")
	}
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		s = s[i+1:]
	}
	host, port := s, ""
	switch {
	case s == "" || !isDigit(s[0]) && s[0] != '[' && s[0] != ':' && !isHexLetter(s[0]):
		return endpoint{}, false // spares the parser its errors
	case s[0] == '[':
		var ok bool
		if host, port, ok = strings.Cut(s[1:], "]"); !ok || port != "" && port[0] != ':' {
			return endpoint{}, false
		}
		port = strings.TrimPrefix(port, ":")
	case strings.Count(s, ":") == 1:
		host, port, _ = strings.Cut(s, ":")
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return endpoint{}, false
	}
	at := endpoint{address: host, private: isPrivate(addr.Unmap())}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return endpoint{}, false
		}
		at.port = int64(n)
	}
	if !addr.Is4() { // IPv4 has one spelling only
		at.address = addr.Unmap().WithZone("").String()
	}
	return at, true
}

// carrierNet is what providers use behind their own address translation, RFC 6598.
var carrierNet = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || carrierNet.Contains(a)
}

func isHexLetter(c byte) bool {
	return 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
