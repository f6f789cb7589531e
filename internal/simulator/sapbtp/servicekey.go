// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"encoding/json"
	"time"
)

// KeyStyle is the credential type of a service key.
type KeyStyle int

// The credential types.
const (
	SecretKey KeyStyle = iota // "binding-secret"
	X509Key                   // "x509", with a fresh client certificate of one day, as in SAP's example
)

const keyCertificateLife = 24 * time.Hour

// ServiceKey gives the service key as SAP hands it out, bare, without a "credentials" around it.
func (sub Subaccount) ServiceKey(style KeyStyle) []byte {
	if style == X509Key {
		return sub.ServiceKeyWith(sub.sim.IssueClientCert(sub.Tenant, keyCertificateLife))
	}
	uaa := sub.uaa("binding-secret")
	uaa["clientsecret"] = sub.ClientSecret
	return sub.marshal(uaa)
}

// ServiceKeyWith gives the service key that holds a certificate.
func (sub Subaccount) ServiceKeyWith(cert ClientCertificate) []byte {
	uaa := sub.uaa("x509")
	uaa["certificate"] = string(cert.CertPEM)
	uaa["key"] = string(cert.KeyPEM)
	uaa["certurl"] = sub.CertURL
	uaa["certificate-pinning"] = true
	uaa["clientx509enabled"] = true
	return sub.marshal(uaa)
}

// uaa is the part that both styles share.
func (sub Subaccount) uaa(style string) map[string]any {
	return map[string]any{
		"apiurl":          "https://api.authentication." + sub.sim.landscape,
		"clientid":        sub.ClientID,
		"credential-type": style,
		"identityzone":    sub.Subdomain,
		"identityzoneid":  sub.Tenant,
		"sburl":           "https://internal-xsuaa.authentication." + sub.sim.landscape,
		"subaccountid":    sub.Tenant,
		"tenantid":        sub.Tenant,
		"tenantmode":      "dedicated",
		"uaadomain":       "authentication." + sub.sim.landscape,
		"url":             sub.TokenURL,
		"verificationkey": "-----BEGIN PUBLIC KEY-----\nMIIexample\n-----END PUBLIC KEY-----",
		"xsappname":       sub.ClientID[len("sb-"):],
		"zoneid":          sub.Tenant,
	}
}

func (sub Subaccount) marshal(uaa map[string]any) []byte {
	out, err := json.MarshalIndent(map[string]any{"uaa": uaa, "url": sub.Endpoint, "vendor": "SAP"}, "", "  ")
	must(err)
	return append(out, '\n')
}
