// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package landscape reads from a host name of SAP BTP what it says: which
// service answers there, in which region, and how often it may be asked.
package landscape

import (
	"net/url"
	"slices"
	"strings"
)

const (
	// auditLogLabel is the first host label of the audit log retrieval API.
	auditLogLabel = "auditlog-management"
	// appsLabel precedes the region in the hosts of Cloud Foundry applications.
	appsLabel = "cfapps"
	// authLabel marks the hosts of the token service (XSUAA); certLabel after
	// it marks those that demand a client certificate.
	authLabel = "authentication"
	certLabel = "cert"
)

// sapDomains end the host names that SAP itself gives out. A host outside them
// (a proxy, a test server) says nothing about the service behind it.
var sapDomains = []string{".hana.ondemand.com", ".platform.sapcloud.cn"}

// fastRegions are the regions for which SAP documents 8 requests per second;
// all other documented regions have 4 (SAP-docs 30ece35).
var fastRegions = []string{"eu10", "eu20", "us10", "us30"}

const (
	fastRate    = 8
	defaultRate = 4
)

// Region returns the region of the audit log API's URL, e.g. "eu10-004" for
// https://auditlog-management.cfapps.eu10-004.hana.ondemand.com, or "" where
// the host does not say it.
func Region(endpoint string) string {
	labels := strings.Split(host(endpoint), ".")
	at := slices.Index(labels, appsLabel)
	if at < 0 || at+1 >= len(labels) || !isRegion(labels[at+1]) {
		return ""
	}
	return labels[at+1]
}

// RequestsPerSecond returns how many requests per second SAP documents for one
// subaccount at the given audit log API URL: 8 in eu10, eu20, us10 and us30,
// and 4, the lowest documented number, everywhere else, extension landscapes
// (eu10-004) and unknown hosts included.
func RequestsPerSecond(endpoint string) int {
	if slices.Contains(fastRegions, Region(endpoint)) {
		return fastRate
	}
	return defaultRate
}

// IsAuditLog reports whether hostname is one of the audit log retrieval API.
func IsAuditLog(hostname string) bool {
	return hasLabel(hostname, auditLogLabel)
}

// IsTokenHost reports whether hostname is one of the token service, for either
// kind of credentials.
func IsTokenHost(hostname string) bool {
	return hasLabel(hostname, authLabel)
}

// IsCertTokenHost reports whether hostname is one of the token service that
// demands a client certificate (<subdomain>.authentication.cert.<landscape>).
func IsCertTokenHost(hostname string) bool {
	labels := strings.Split(strings.ToLower(hostname), ".")
	at := slices.Index(labels, authLabel)
	return at >= 0 && at+1 < len(labels) && labels[at+1] == certLabel
}

// IsSAP reports whether hostname lies in a domain in which SAP names all hosts,
// so that the absence of a known label means another service.
func IsSAP(hostname string) bool {
	hostname = strings.ToLower(hostname)
	return slices.ContainsFunc(sapDomains, func(domain string) bool {
		return strings.HasSuffix(hostname, domain)
	})
}

func hasLabel(hostname, label string) bool {
	return slices.Contains(strings.Split(strings.ToLower(hostname), "."), label)
}

func host(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// isRegion reports whether label has the form of a BTP region: two letters, two
// digits and, for an extension landscape, a suffix (eu10, us10-001).
func isRegion(label string) bool {
	base, suffix, extended := strings.Cut(label, "-")
	if len(base) != 4 || extended && suffix == "" {
		return false
	}
	return isLetter(base[0]) && isLetter(base[1]) && isDigit(base[2]) && isDigit(base[3])
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
