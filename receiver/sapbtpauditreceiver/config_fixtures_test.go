// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

const (
	testEndpoint = "https://auditlog-management.cfapps.eu10.hana.ondemand.com"
	testTokenURL = "https://acme.authentication.eu10.hana.ondemand.com"
	testCertURL  = "https://acme.authentication.cert.eu10.hana.ondemand.com"
	testClientID = "sb-1!b2|auditlog-management!b2"
	testSecret   = "canary-+$="
	testDigits   = "0123"
)

// values is a configuration, or a part of it, as it is decoded from YAML.
type values = map[string]any

type certPair struct {
	cert, key configopaque.String
	notAfter  time.Time
}

func newCertPair(t *testing.T) certPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	notAfter := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: notAfter}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	encode := func(kind string, der []byte) configopaque.String {
		return configopaque.String(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return certPair{cert: encode("CERTIFICATE", cert), key: encode("PRIVATE KEY", private), notAfter: notAfter}
}

func secretServiceKey() values {
	return values{
		"uaa": values{
			"clientid": testClientID, "clientsecret": testSecret, "identityzone": "acme", "tenantid": "tenant", "url": testTokenURL,
		},
		"url": testEndpoint,
	}
}

func x509ServiceKey(p certPair) values {
	return values{
		"uaa": values{
			"clientid": testClientID, "certificate": string(p.cert), "key": string(p.key), "certurl": testCertURL,
			"url": testTokenURL, "credential-type": "x509", "identityzone": "acme", "tenantid": "tenant",
		},
		"url": testEndpoint,
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func explicitSecretKey() servicekey.Key {
	return servicekey.Key{
		Endpoint: testEndpoint, TokenURL: testTokenURL + "/oauth/token", ClientID: testClientID,
		ClientSecret: testSecret, AuthType: servicekey.ClientSecret,
	}
}

// resolve loads a configuration as the Collector does.
func resolve(t *testing.T, path string) *confmap.Conf {
	t.Helper()
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{path},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()},
		DefaultScheme:     "env",
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)
	require.NoError(t, resolver.Shutdown(t.Context()))
	return conf
}
