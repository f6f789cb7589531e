// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package servicekey

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

const heading = "Getting key audit-key for service instance audit as kim@example.org...\n\n"

// inUTF16 is what PowerShell makes of a text.
func inUTF16(order binary.AppendByteOrder, mark, text string) []byte {
	var raw []byte
	for _, unit := range utf16.Encode([]rune(mark + text)) {
		raw = order.AppendUint16(raw, unit)
	}
	return raw
}

// inSecret is what kubectl prints of a Secret with these fields.
func inSecret(fields map[string]string) values {
	data := values{}
	for name, value := range fields {
		data[name] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	return values{"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": values{"name": "audit"}, "data": data}
}

func kymaFiles() map[string]string {
	return map[string]string{"url": apiURLText, "clientID": clientIDText, "clientSecret": secretText, "tokenUrl": tokenBase}
}

// joined is a key with flattened names, all of them changed by a function.
func joined(name func(string) string) values {
	out := values{name("url"): apiURLText, name("vendor"): "SAP"}
	for field, value := range secretUAA() {
		out[name("uaa."+field)] = value
	}
	return out
}

func TestParseReadsWhatToolsPrintAndOperatorsMake(t *testing.T) {
	key := secretKey().json(t)
	other := secretKey().with(values{"uaa": secretUAA().with(values{"tenantid": "other"})})
	wantOther := wantSecret()
	wantOther.TenantID = "other"
	binding := values{"label": userProvided, "name": "audit-prod", "credentials": secretKey()}
	foreign := values{"label": userProvided, "name": "syslog", "credentials": values{"clientid": "x", "uri": "syslog://x"}}
	env := func(name func(string) string) string { return joined(name).json(t) }
	asItIs := func(s string) string { return s }

	tests := []struct {
		name string
		raw  string
		want []Key
	}{
		{"cf service-key", heading + key + "\n", []Key{wantSecret()}},
		{"cf service-key of CF CLI v8 on Windows", strings.ReplaceAll(heading, "\n", "\r\n") + values{"credentials": secretKey()}.json(t) + "\r\n", []Key{wantSecret()}},
		{"lines after it", heading + key + "\n\nOK\nTIP: use the key\n", []Key{wantSecret()}},
		{"two of them in one file", heading + key + "\n" + heading + other.json(t), []Key{wantSecret(), wantOther}},
		{"cf env", "Getting env variables for app audit...\nSystem-Provided:\nVCAP_SERVICES: " + values{serviceName: []any{values{"credentials": secretKey()}}}.json(t) +
			"\n\nVCAP_APPLICATION: hidden\n", []Key{wantSecret()}},
		{"a shell's variable", "export VCAP_SERVICES='" + values{serviceName: []any{values{"credentials": secretKey()}}}.json(t) + "'\n", []Key{wantSecret()}},
		{"UTF-16 of PowerShell", string(inUTF16(binary.LittleEndian, "\ufeff", key)), []Key{wantSecret()}},
		{"UTF-16, the other byte order", string(inUTF16(binary.BigEndian, "\ufeff", key)), []Key{wantSecret()}},
		{"UTF-16 without a mark", string(inUTF16(binary.LittleEndian, "", key)), []Key{wantSecret()}},
		{"UTF-16 without a mark, the other byte order", string(inUTF16(binary.BigEndian, "", key)), []Key{wantSecret()}},
		{"cf service-key in UTF-16", string(inUTF16(binary.LittleEndian, "\ufeff", heading+key+"\r\n")), []Key{wantSecret()}},
		{"kubectl, Kyma", inSecret(kymaFiles()).json(t), []Key{wantKyma()}},
		{"kubectl, service operator", inSecret(map[string]string{"uaa": secretUAA().json(t), "url": apiURLText, "type": serviceName}).json(t), []Key{wantSecret()}},
		{"kubectl, a whole key as printed", inSecret(map[string]string{"key.json": heading + key}).json(t), []Key{wantSecret()}},
		{"kubectl, a whole key in UTF-16", inSecret(map[string]string{"key.json": string(inUTF16(binary.LittleEndian, "\ufeff", key))}).json(t), []Key{wantSecret()}},
		{"a Secret before it is applied", values{"apiVersion": "v1", "kind": "Secret", "stringData": kymaFiles()}.json(t), []Key{wantKyma()}},
		{
			"kubectl, all Secrets of a namespace",
			values{"apiVersion": "v1", "kind": "List", "items": []any{
				inSecret(map[string]string{"ca.crt": "x", "token": "x"}),
				inSecret(map[string]string{"type": "xsuaa", "clientid": "x", "clientsecret": "x", "url": tokenBase}),
				inSecret(map[string]string{"clientid": "x", "clientsecret": "x", "url": tokenBase}),
				inSecret(map[string]string{"key": key}),
			}}.json(t),
			[]Key{wantSecret()},
		},
		{"user-provided", values{userProvided: []any{binding}}.json(t), []Key{wantSecret()}},
		{"user-provided beside others", values{userProvided: []any{foreign, binding}, "xsuaa": []any{values{"credentials": values{"clientid": "x"}}}}.json(t), []Key{wantSecret()}},
		{
			"user-provided beside a binding",
			values{serviceName: []any{values{"credentials": other}}, userProvided: []any{binding, foreign}}.json(t),
			[]Key{wantOther, wantSecret()},
		},
		{"joined with dots", env(asItIs), []Key{wantSecret()}},
		{"joined with dots, credentials before", env(func(s string) string { return "credentials." + s }), []Key{wantSecret()}},
		{"joined with underscores", env(func(s string) string { return strings.ReplaceAll(s, ".", "_") }), []Key{wantSecret()}},
		{"joined with dashes", env(func(s string) string { return "audit-" + strings.ReplaceAll(s, ".", "-") }), []Key{wantSecret()}},
		{"joined in upper case", env(func(s string) string { return strings.ToUpper("sap_" + strings.ReplaceAll(s, ".", "_")) }), []Key{wantSecret()}},
		{"joined, uaa as a whole", values{"audit_url": apiURLText, "audit_uaa": secretUAA().json(t)}.json(t), []Key{wantSecret()}},
		{"Kyma with underscores", values{"url": apiURLText, "client_id": clientIDText, "client_secret": secretText, "token_url": tokenBase}.json(t), []Key{wantKyma()}},
		{"kubectl, joined", inSecret(map[string]string{"uaa.clientid": clientIDText, "uaa.clientsecret": secretText, "uaa.url": tokenBase, "url": apiURLText}).json(t), []Key{wantKyma()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := Parse([]byte(tt.raw))
			require.NoError(t, err)
			require.Equal(t, tt.want, keys)
		})
	}
}

func TestParseReadsCertificatesWithJoinedNames(t *testing.T) {
	p := newPair(t)
	files := map[string][]byte{"url": []byte(apiURLText)}
	for name, value := range x509UAA(p) {
		if text, ok := value.(string); ok {
			files["credentials.uaa."+name] = []byte(text)
		}
	}
	delete(files, "url")
	files["credentials.url"] = []byte(apiURLText)
	keys, err := ParseDir(files)
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Equal(t, MutualTLS, keys[0].AuthType)
	require.Equal(t, p.notAfter, keys[0].NotAfter)
}

func TestParseNamesTheFormThatItCannotReadWithItsCure(t *testing.T) {
	key := secretKey().json(t)
	yamlSecret := "apiVersion: v1\ndata:\n  url: Y2FuYXJ5\nkind: Secret\nmetadata:\n  annotations:\n    last-applied: |\n      " + inSecret(kymaFiles()).json(t)
	secretWith := func(changes values) string { return inSecret(nil).with(changes).json(t) }
	tests := []struct{ name, raw, want string }{
		{"a Secret in YAML", yamlSecret, "a Kubernetes Secret in YAML; give it as \"kubectl get secret -o json\""},
		{"base64", base64.StdEncoding.EncodeToString([]byte(key)), "in base64, as in a Secret's data; decode it"},
		{"a login page", "<!DOCTYPE html><script>{canary}</script>", "HTML or XML, such as a login page; fetch the key again"},
		{"a binary file", "PK\x03\x04\x00canary\x00", "a binary file, or in UTF-32; save it as UTF-8"},
		{"UTF-32", "\xff\xfe\x00\x00c\x00\x00\x00", "a binary file, or in UTF-32; save it as UTF-8"},
		{"UTF-16 cut off", string(inUTF16(binary.LittleEndian, "\ufeff", key)[:101]), "in UTF-16 that is cut off; save it again"},
		{"cut off", key[:50], "error at byte 50 of 50, where it is cut off; save the whole of it again"},
		{"cut off after a heading", heading + key[:50], "where it is cut off; save the whole of it again"},
		{"a heading alone", heading, "not JSON: error at byte 1"},
		{"broken", `{"uaa": canary}`, "error at byte 9 of 15; give it as it was issued"},
		{"its beginning cut off", heading + `"canary", "x": {` + "\n" + key, "not JSON: error at byte 1"},
		{"a rest after it", key + "\n}", "give it as it was issued"},
		{"a second one broken", key + "\n" + key[:50], "where it is cut off"},
		{"too many", strings.Repeat("{}\n", maxObjects+1), "more than 1000 JSON objects"},
		{"a Secret without data", secretWith(values{"data": nil}), "the Secret has no data; give one with the credentials"},
		{"a Secret that is not base64", secretWith(values{"data": values{"url": "canary!"}}), "data.url of the Secret is not base64"},
		{"a Secret with numbers", secretWith(values{"stringData": values{"url": 5}}), "stringData.url of the Secret is not a text"},
		{"a Secret of something else", inSecret(map[string]string{"token": "canary"}).json(t), "no service key in it"},
		{"another Kubernetes object", secretWith(values{"kind": "ServiceBinding"}), "a Kubernetes object that is no Secret: give the Secret"},
		{"an empty list of Secrets", values{"apiVersion": "v1", "kind": "List", "items": []any{}}.json(t), "no service key in it"},
		{"a broken Secret in a list", values{"apiVersion": "v1", "kind": "List", "items": []any{inSecret(map[string]string{"uaa": "{}", "url": apiURLText})}}.json(t), "items[0]: the service key lacks uaa.clientid"},
		{"user-provided of other things", values{userProvided: []any{values{"credentials": values{"uri": "canary"}}}}.json(t), "no binding of auditlog-management, nor a user-provided one that names it"},
		{"user-provided of the write API", values{userProvided: []any{values{"credentials": values{"clientid": "x", "url": tokenBase, "for": serviceName}}}}.json(t), "user-provided[0]: url in the service key is the token service"},
		{"user-provided, broken", values{userProvided: []any{values{"credentials": secretKey().with(values{"uaa": values{}})}}}.json(t), "user-provided[0]: the service key lacks uaa.clientid"},
		{"joined names, one missing", values{"uaa.clientid": clientIDText, "uaa.url": tokenBase, "url": apiURLText}.json(t), "of the names joined as uaa…: the service key lacks uaa.clientsecret or uaa.certificate"},
		{"joined names without url", values{"x_uaa_clientid": clientIDText, "x_uaa_url": tokenBase, "x_uaa_clientsecret": secretText}.json(t), "of the names joined as xuaa…: the service key lacks url"},
		{"somebody's OAuth client", values{"client_id": "canary", "client_secret": secretText, "auth_uri": "https://canary"}.json(t), "no service key in it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := Parse([]byte(tt.raw))
			require.ErrorContains(t, err, tt.want)
			require.Empty(t, keys)
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

func TestParseDirSaysWhichFileIsCutOffAndReadsTheRest(t *testing.T) {
	whole := inUTF16(binary.LittleEndian, "\ufeff", secretKey().json(t))
	for name, broken := range map[string][]byte{"UTF-16": whole[:101], "after a heading": []byte(heading + secretKey().json(t)[:50])} {
		keys, err := ParseDir(map[string][]byte{"a": broken, "b": whole})
		require.ErrorContains(t, err, "cut off", name)
		require.ErrorContains(t, err, "a: the service key", name)
		require.Equal(t, []Key{wantSecret()}, keys, name)
	}
}

// Whatever is cut off, a key is read whole or not at all, and nothing of it is quoted.
func TestNoCutOfACarrierGivesAnotherKey(t *testing.T) {
	t.Parallel()
	key := secretKey().json(t)
	for name, whole := range map[string]string{
		"bare": key, "cf": heading + key, "UTF-16": string(inUTF16(binary.LittleEndian, "\ufeff", heading+key)),
		"kubectl": inSecret(map[string]string{"key": key}).json(t), "joined": joined(strings.ToUpper).json(t),
		"user-provided": values{userProvided: []any{values{"credentials": secretKey()}}}.json(t),
	} {
		for cut := range len(whole) {
			keys, err := Parse([]byte(whole[:cut]))
			require.Error(t, err, "%s cut at %d", name, cut)
			require.Empty(t, keys, "%s cut at %d", name, cut)
			require.NotContains(t, err.Error(), "canary", "%s cut at %d", name, cut)
		}
	}
}
