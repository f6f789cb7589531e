// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxHops bounds how many elements of a forwarded chain are looked at.
const maxHops = 32

// Endpoint is the address of a client. The zero Endpoint is none.
type Endpoint struct {
	// Address is in its normal spelling.
	Address string
	// Port is 0 if the text names none.
	Port int64
	// Private says that the address tells nothing outside of its own network.
	Private bool
}

// ClientOf reads the address of a client: alone, in brackets, with a port, behind a slash as Java writes it, in the form of
// RFC 7239 ("for=…"), or in a chain of forwarders, whose first address is the client's. The result is the zero Endpoint if there is none.
func ClientOf(text string) Endpoint {
	if text == "" || text == "-" {
		return Endpoint{}
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
	return Endpoint{}
}

func cutHop(chain string) (element, rest string, more bool) {
	i := strings.IndexAny(chain, ",; ")
	if i < 0 {
		return chain, "", false
	}
	return chain[:i], chain[i+1:], true
}

func parseEndpoint(s string) (Endpoint, bool) {
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
		return Endpoint{}, false // spares the parser its errors
	case s[0] == '[':
		var ok bool
		if host, port, ok = strings.Cut(s[1:], "]"); !ok || port != "" && port[0] != ':' {
			return Endpoint{}, false
		}
		port = strings.TrimPrefix(port, ":")
	case strings.Count(s, ":") == 1:
		host, port, _ = strings.Cut(s, ":")
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return Endpoint{}, false
	}
	at := Endpoint{Address: host, Private: isPrivate(addr.Unmap())}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return Endpoint{}, false
		}
		at.Port = int64(n)
	}
	if !addr.Is4() { // IPv4 has one spelling only
		at.Address = addr.Unmap().WithZone("").String()
	}
	return at, true
}

// carrierNet is what providers use behind their own address translation, RFC 6598.
var carrierNet = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || carrierNet.Contains(a)
}

// IsHostName reports whether text can be the name of a host: letters, digits, hyphens and dots, with one dot at least.
func IsHostName(text string) bool {
	dot := false
	for i := range len(text) {
		if c := text[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '.' {
			return false
		}
		dot = dot || text[i] == '.' && i > 0
	}
	return dot && isLetter(text[len(text)-1])
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isHexLetter(c byte) bool {
	return 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
