// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
)

func TestParseReadsEveryCarrier(t *testing.T) {
	binding := values{"label": serviceName, "name": "audit", "plan": "default", "tags": []string{}, "credentials": secretKey()}
	other := secretKey().with(values{"uaa": secretUAA().with(values{"tenantid": "other"})})
	wantOther := wantSecret()
	wantOther.TenantID = "other"
	instance := values{"instance_guid": "1", "instance_name": "audit", "plan": "default", "type": serviceName}
	asText := values{"url": apiURLText, "uaa": secretUAA().json(t), "vendor": "SAP"}

	tests := []struct {
		name string
		raw  string
		want []Key
	}{
		{"bare key", secretKey().json(t), []Key{wantSecret()}},
		{"bare key after a byte order mark and blanks", "\xef\xbb\xbf \n" + secretKey().json(t) + "\n", []Key{wantSecret()}},
		{"CF CLI v8", values{"credentials": secretKey()}.json(t), []Key{wantSecret()}},
		{"VCAP_SERVICES", values{"xsuaa": []any{values{"credentials": values{"clientid": "x"}}}, serviceName: []any{binding}}.json(t), []Key{wantSecret()}},
		{"VCAP_SERVICES with two bindings", values{serviceName: []any{binding, binding.with(values{"credentials": other})}}.json(t), []Key{wantSecret(), wantOther}},
		{"service operator, one field each", asText.with(instance).json(t), []Key{wantSecret()}},
		{"service operator, secretKey", instance.with(values{"my-credentials": secretKey()}).json(t), []Key{wantSecret()}},
		{"service operator, secretKey as text", instance.with(values{"my-credentials": secretKey().json(t)}).json(t), []Key{wantSecret()}},
		{"service operator, secretRootKey", values{"root": asText.with(instance).json(t)}.json(t), []Key{wantSecret()}},
		{"service operator, secretRootKey and secretKey", values{"root": instance.with(values{"k": secretKey().json(t)}).json(t)}.json(t), []Key{wantSecret()}},
		{"service operator, template", values{"config.json": values{"credentials": secretKey(), "instance": instance}.json(t)}.json(t), []Key{wantSecret()}},
		{"Kyma, tokenUrl as base", kyma().json(t), []Key{wantKyma()}},
		{"Kyma, tokenUrl as endpoint", kyma().with(values{"tokenUrl": tokenBase + "/oauth/token"}).json(t), []Key{wantKyma()}},
		{"Kyma, clientId and tokenURL", values{"url": apiURLText, "clientId": clientIDText, "clientSecret": secretText, "tokenURL": tokenBase}.json(t), []Key{wantKyma()}},
		{"Kyma, clientid and clientsecret", values{"url": apiURLText, "clientid": clientIDText, "clientsecret": secretText, "tokenurl": tokenBase}.json(t), []Key{wantKyma()}},
		{"slashes at the end", bare(secretUAA().with(values{"url": tokenBase + "/"})).with(values{"url": apiURLText + "/"}).json(t), []Key{wantSecret()}},
		{"tenant from zoneid", bare(secretUAA().with(values{"tenantid": nil})).json(t), []Key{wantSecret()}},
		{"tenant from identityzoneid", bare(secretUAA().with(values{"tenantid": nil, "zoneid": nil})).json(t), []Key{wantSecret()}},
		{"secret beside a certurl", bare(secretUAA().with(values{"certurl": certBase})).json(t), []Key{wantSecret()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := Parse([]byte(tt.raw))
			require.NoError(t, err)
			require.Equal(t, tt.want, keys)
		})
	}
}

func TestParseKeepsHostsThatAreNotSAPs(t *testing.T) {
	keys, err := Parse([]byte(bare(secretUAA().with(values{"url": "http://127.0.0.1:8081/uaa"})).with(values{"url": "http://127.0.0.1:8080/api/"}).json(t)))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Equal(t, "http://127.0.0.1:8080/api", keys[0].Endpoint)
	require.Equal(t, "http://127.0.0.1:8081/uaa/oauth/token", keys[0].TokenURL)
}

func TestParseReadsCertificates(t *testing.T) {
	ec, withRSA := newPair(t), newRSAPair(t)
	escaped := func(text, lineEnd string) string { return strings.ReplaceAll(text, "\n", lineEnd) }
	tests := []struct {
		name string
		uaa  values
		want pair
	}{
		{"chain and PKCS #8 key", x509UAA(ec), ec},
		{"RSA key", x509UAA(withRSA), withRSA},
		{"escaped line ends", x509UAA(pair{cert: escaped(ec.cert, `\n`), key: escaped(ec.key, `\n`)}), ec},
		{"escaped CRLF", x509UAA(pair{cert: escaped(ec.cert, `\r\n`), key: escaped(ec.key, `\r\n`)}), ec},
		{"self-managed, without key", x509UAA(ec).with(values{"key": nil}), pair{cert: ec.cert, notAfter: ec.notAfter}},
		{"older key without credential-type", x509UAA(ec).with(values{"credential-type": nil}), ec},
		{"certificate wins over secret", x509UAA(ec).with(values{"clientsecret": secretText}), ec},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := Parse([]byte(bare(tt.uaa).json(t)))
			require.NoError(t, err)
			require.Len(t, keys, 1)
			got := keys[0]
			require.Equal(t, MutualTLS, got.AuthType)
			require.Equal(t, certBase+"/oauth/token", got.TokenURL)
			require.Equal(t, configopaque.String(tt.want.cert), got.CertPEM)
			require.Equal(t, configopaque.String(tt.want.key), got.KeyPEM)
			require.Empty(t, got.ClientSecret)
			if !tt.want.notAfter.IsZero() {
				require.Equal(t, tt.want.notAfter, got.NotAfter)
			}
		})
	}
}

func TestParseSaysWhatIsWrongAndQuotesNothing(t *testing.T) {
	ec := newPair(t)
	noCredentials := commonUAA()
	destination := values{"uri": "https://destination-configuration.cfapps.eu10.hana.ondemand.com", "url": tokenBase, "clientid": "canary-id", "clientsecret": secretText}
	encrypted := encodePEM("ENCRYPTED PRIVATE KEY", []byte("canary"))
	secretWith := func(changes values) string { return bare(secretUAA().with(changes)).json(t) }
	certWith := func(changes values) string { return bare(x509UAA(ec).with(changes)).json(t) }
	urlWith := func(url any) string { return secretKey().with(values{"url": url}).json(t) }

	tests := []struct{ name, raw, want string }{
		{"empty", "", "is empty"},
		{"blank", " \n\t", "is empty"},
		{"too large", `{"uaa":"` + strings.Repeat("x", maxSize) + `"}`, "larger than 1048576 bytes"},
		{"not JSON", "canary-text", "not JSON: error at byte 1 of 11"},
		{"broken off", `{"uaa": {"clientid": "canary`, "not JSON: error at byte"},
		{"YAML", "uaa:\n  clientid: canary\n", "not JSON"},
		{"a certificate", ec.cert, "not JSON but a PEM file"},
		{"a list", `["canary"]`, "not a JSON object"},
		{"a number", `12`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"an empty object", `{}`, "no service key in it"},
		{"basic authentication", `{"uri": "https://x", "username": "u", "password": "canary"}`, "no service key in it"},
		{"wrapped too deep", `{"a":{"b":{"c":{"d":` + secretKey().json(t) + `}}}}`, "no service key in it"},
		{"VCAP_SERVICES without the service", values{"xsuaa": []any{values{"credentials": destination}}}.json(t), "no binding of auditlog-management"},
		{"VCAP_SERVICES with an empty list", values{serviceName: []any{}}.json(t), "empty list of bindings"},
		{"binding without credentials", values{serviceName: []any{values{"name": "audit"}}}.json(t), "auditlog-management[0]: no service key"},
		{"binding that is no object", values{serviceName: []any{"canary"}}.json(t), "auditlog-management[0]: no service key"},
		{"key of xsuaa", values{"clientid": "canary", "clientsecret": secretText, "url": tokenBase}.json(t), "key of another service"},
		{"key of xsuaa in credentials", values{"credentials": values{"clientid": "canary", "clientsecret": secretText, "url": tokenBase}}.json(t), "key of another service"},
		{"key of destination", destination.json(t), "key of another service"},
		{"key of a service with uaa", urlWith("https://service-manager.cfapps.eu10.hana.ondemand.com"), "not a host of auditlog-management"},
		{"key of the write API", urlWith("https://api.auditlog.cf.eu10.hana.ondemand.com:6081/audit-log/oauth2/v2"), "not a host of auditlog-management"},
		{"url missing", urlWith(nil), "lacks url"},
		{"url empty", urlWith(""), "lacks url"},
		{"url not a text", urlWith(5), "not a text in the service key: url"},
		{"url not absolute", urlWith("canary.example.com"), "url in the service key is not an https URL"},
		{"url unparseable", urlWith("https://canary\x7f"), "url in the service key is not an https URL"},
		{"url of another scheme", urlWith("ftp://canary.example.com"), "url in the service key is not an https URL"},
		{"url with user", urlWith("https://canary:canary@auditlog-management.cfapps.eu10.hana.ondemand.com"), "url in the service key has a user"},
		{"url with query", urlWith(apiURLText + "?canary=1"), "url in the service key has a user, query"},
		{"uaa not an object", secretKey().with(values{"uaa": "canary"}).json(t), "uaa in the service key is not a JSON object"},
		{"clientid missing", secretWith(values{"clientid": nil}), "lacks uaa.clientid"},
		{"clientid not a text", secretWith(values{"clientid": 5}), "not a text in the service key: uaa.clientid"},
		{"several missing", secretWith(values{"clientid": nil, "url": nil}), "lacks uaa.clientid, uaa.url"},
		{"no credentials", bare(noCredentials).json(t), "lacks uaa.clientsecret or uaa.certificate"},
		{"x509 without certificate", certWith(values{"certificate": nil, "key": nil}), "without the x509 parameters"},
		{"certurl only", bare(noCredentials.with(values{"certurl": certBase})).json(t), `{"xsuaa":{"credential-type":"x509"`},
		{"certurl missing", certWith(values{"certurl": nil}), "lacks uaa.certurl"},
		{"certurl without cert", certWith(values{"certurl": tokenBase}), "uaa.certurl in the service key is not a host for certificates"},
		{"secret at the cert host", secretWith(values{"url": certBase}), "uaa.url in the service key is a host for certificates"},
		{"token URL is the API", secretWith(values{"url": apiURLText}), "uaa.url in the service key is the audit log API"},
		{"token URL broken", secretWith(values{"url": "canary"}), "uaa.url in the service key is not an https URL"},
		{"certificate no PEM", certWith(values{"certificate": "canary"}), "the certificate is not in PEM form"},
		{"certificate damaged", certWith(values{"certificate": encodePEM("CERTIFICATE", []byte("canary"))}), "the certificate is damaged"},
		{"key no PEM", certWith(values{"key": "canary"}), "the private key is not in PEM form"},
		{"key is a certificate", certWith(values{"key": ec.cert}), "the private key is not in PEM form"},
		{"key damaged", certWith(values{"key": encodePEM("PRIVATE KEY", []byte("canary"))}), "do not belong together, or the key is damaged"},
		{"key encrypted", certWith(values{"key": encrypted}), "the private key is encrypted"},
		{"key of another certificate", certWith(values{"key": newPair(t).key}), "do not belong together"},
		{"Kyma without secret", kyma().with(values{"clientSecret": nil}).json(t), "lacks clientSecret"},
		{"Kyma without tokenUrl", kyma().with(values{"tokenUrl": nil}).json(t), "lacks tokenUrl"},
		{"Kyma with the API as tokenUrl", kyma().with(values{"tokenUrl": apiURLText}).json(t), "tokenUrl in the service key is the audit log API"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := Parse([]byte(tt.raw))
			require.ErrorContains(t, err, tt.want)
			require.Empty(t, keys)
			requireNoSecrets(t, err, ec)
		})
	}
}

func TestParseReturnsTheGoodKeysBesideABadOne(t *testing.T) {
	broken := secretKey().with(values{"url": nil})
	keys, err := Parse([]byte(values{serviceName: []any{
		values{"credentials": broken}, values{"credentials": secretKey()},
	}}.json(t)))
	require.ErrorContains(t, err, "auditlog-management[0]: the service key lacks url")
	require.Equal(t, []Key{wantSecret()}, keys)
}

func TestPrintedKeysHideSecrets(t *testing.T) {
	ec := newPair(t)
	keys, err := Parse([]byte(values{"a": secretKey(), "b": bare(x509UAA(ec))}.json(t)))
	require.NoError(t, err)
	require.Len(t, keys, 2)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		requireNoSecrets(t, fmt.Errorf(format, keys), ec)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(secretKey().json(f)))
	f.Add([]byte(values{serviceName: []any{values{"credentials": kyma()}}}.json(f)))
	f.Add([]byte(values{"k": secretKey().json(f)}.json(f)))
	f.Add([]byte(heading + secretKey().json(f) + "\n" + heading + secretKey().json(f)))
	f.Add(inUTF16(binary.LittleEndian, "\ufeff", secretKey().json(f)))
	f.Add([]byte(values{"apiVersion": "v1", "kind": "List", "items": []any{inSecret(kymaFiles())}}.json(f)))
	f.Add([]byte(values{userProvided: []any{values{"credentials": secretKey()}}}.json(f)))
	f.Add([]byte(joined(strings.ToUpper).json(f)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, err := Parse(raw)
		require.True(t, err != nil || len(keys) > 0)
		for _, key := range keys {
			require.NotEmpty(t, key.Endpoint)
			require.NotEmpty(t, key.TokenURL)
			require.NotEmpty(t, key.ClientID)
			require.True(t, key.ClientSecret != "" || key.CertPEM != "")
		}
	})
}

func requireNoSecrets(t *testing.T, err error, p pair) {
	t.Helper()
	text := err.Error()
	require.NotContains(t, text, "canary")
	require.NotContains(t, text, strings.Split(p.cert, "\n")[1])
	require.NotContains(t, text, strings.Split(p.key, "\n")[1])
}
