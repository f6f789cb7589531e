// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	apiURLText   = "https://auditlog-management.cfapps.eu10.hana.ondemand.com"
	tokenBase    = "https://acme-prod.authentication.eu10.hana.ondemand.com"
	certBase     = "https://acme-prod.authentication.cert.eu10.hana.ondemand.com"
	clientIDText = "sb-11111111-2222-3333-4444-555555555555!b1234|auditlog-management!b1234"
	secretText   = "canary-secret+/$=="
	tenantText   = "6a1f3c52-0f3d-4a8e-8a11-5d0f8a1b2c3d"
)

// pair is a certificate, followed by another one as its chain, and its key.
type pair struct {
	cert, key string
	notAfter  time.Time
}

func newPair(tb testing.TB) pair {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(tb, err)
	notAfter := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	chained, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	return pair{
		cert: newCert(tb, key, notAfter) + newCert(tb, chained, notAfter.AddDate(1, 0, 0)),
		key:  encodePEM("PRIVATE KEY", der), notAfter: notAfter,
	}
}

func newRSAPair(tb testing.TB) pair {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(tb, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(tb, err)
	return pair{cert: encodePEM("CERTIFICATE", der), key: encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))}
}

func newCert(tb testing.TB, key *ecdsa.PrivateKey, notAfter time.Time) string {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "acme-prod"},
		NotBefore: notAfter.AddDate(-10, 0, 0), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(tb, err)
	return encodePEM("CERTIFICATE", der)
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// values is a JSON object to be changed by a test.
type values map[string]any

// with returns a copy in which the given fields are set, or removed where nil.
func (v values) with(changes values) values {
	out := maps.Clone(v)
	for name, value := range changes {
		if value == nil {
			delete(out, name)
		} else {
			out[name] = value
		}
	}
	return out
}

func (v values) json(tb testing.TB) string {
	tb.Helper()
	raw, err := json.Marshal(v)
	require.NoError(tb, err)
	return string(raw)
}

// commonUAA holds what uaa has for both kinds of credentials.
func commonUAA() values {
	return values{
		"apiurl": "https://api.authentication.eu10.hana.ondemand.com", "clientid": clientIDText,
		"identityzone": "acme-prod", "identityzoneid": tenantText, "subaccountid": "0-not-the-tenant",
		"tenantid": tenantText, "tenantmode": "dedicated", "uaadomain": "authentication.eu10.hana.ondemand.com",
		"url": tokenBase, "verificationkey": "-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----",
		"xsappname": "app!b1234", "zoneid": tenantText,
	}
}

func secretUAA() values {
	return commonUAA().with(values{"clientsecret": secretText, "credential-type": "binding-secret"})
}

func x509UAA(p pair) values {
	return commonUAA().with(values{
		"certificate": p.cert, "key": p.key, "certurl": certBase,
		"certificate-pinning": true, "clientx509enabled": true, "credential-type": "x509",
	})
}

func bare(uaa values) values {
	return values{"uaa": uaa, "url": apiURLText, "vendor": "SAP"}
}

func secretKey() values { return bare(secretUAA()) }

func kyma() values {
	return values{"url": apiURLText, "clientID": clientIDText, "clientSecret": secretText, "tokenUrl": tokenBase}
}

// wantSecret is what secretKey has to be read as.
func wantSecret() Key {
	return Key{
		Endpoint: apiURLText, TokenURL: tokenBase + "/oauth/token", ClientID: clientIDText, ClientSecret: secretText,
		TenantID: tenantText, Name: "acme-prod", AuthType: ClientSecret,
	}
}

// wantKyma is what kyma has to be read as.
func wantKyma() Key {
	key := wantSecret()
	key.TenantID, key.Name = "", ""
	return key
}
