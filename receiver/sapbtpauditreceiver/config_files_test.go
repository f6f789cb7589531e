// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
)

// What validate says, a start must bear: files come and go while it runs.
func TestValidateSaysWhatIsWrongWithFilesAndAStartBearsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	key := toJSON(t, secretServiceKey())
	overHTTP := secretServiceKey()
	overHTTP["url"] = "http://canary.example.com"
	keys := func(paths ...any) values { return values{"service_keys": paths} }
	good := write("good.json", "Getting key audit-key for service instance audit as kim@example.org...\n\n"+key)
	truncated := write("truncated.json", key[:60])
	absent := filepath.Join(dir, "absent.json")
	pair := newCertPair(t)

	tests := []struct {
		name   string
		config values
		want   []string // in what validate says; nothing if it is right
	}{
		{"a good key", keys(good), nil},
		{"no such file", keys(absent), []string{"service_keys: " + absent + ": no file or directory matches", "check the path"}},
		{"a glob that matches nothing", keys(filepath.Join(dir, "none*")), []string{"none*: no file or directory matches"}},
		{"truncated", keys(truncated), []string{truncated + ": the service key is not JSON", "cut off; save the whole of it again"}},
		{"empty", keys(write("empty.json", "")), []string{"the service key is empty; save the key again"}},
		{"no key", keys(write("no.json", `{"canary": 1}`)), []string{"no.json: no service key in it", "give the JSON of a service key"}},
		{"no JSON", keys(write("text", "canary")), []string{"text: the service key is not JSON"}},
		{"an empty directory", keys(t.TempDir()), []string{"has no files"}},
		{"of another service", keys(write("xsuaa.json", toJSON(t, values{"clientid": "canary", "clientsecret": "canary", "url": testTokenURL}))), []string{"a key of another service", "create one"}},
		{"http", keys(write("http.json", toJSON(t, overHTTP))), []string{"http.json: a URL in it is http"}},
		{"one good, several wrong", keys(good, absent, truncated), []string{absent, truncated}},
		{"a key instead of a path", keys(key), []string{"service_keys[0] is a service key itself"}},
		{"no secret file", with(explicitConfig(), values{"client_secret": nil, "client_secret_file": absent}), []string{"client_secret_file " + absent + ": no such file"}},
		{"no CA file", with(explicitConfig(), values{"tls": values{"ca_file": absent}}), []string{"failed to load CA", absent, "check ca_file"}},
		{
			"certificate and key of two pairs",
			with(explicitConfig(), values{"client_secret": nil, "token_url": testCertURL, "tls": values{
				"cert_file": write("cert.pem", string(pair.cert)), "key_file": write("key.pem", string(newCertPair(t).key)),
			}}),
			[]string{"tls.cert_file, tls.key_file: certificate and private key do not belong together"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.name != "a key instead of a path" {
				require.NoError(t, load(tt.config), "as at a start")
			}
			said := distribution.Validate(t, metadata.Type.String(), tt.config)
			if tt.want == nil {
				require.Empty(t, said)
			}
			for _, want := range tt.want {
				require.Contains(t, said, want)
			}
			require.NotContains(t, said, "canary")
			require.NotContains(t, said, testSecret)
		})
	}
}

// The provider of the Collector may read such a text as YAML or give it as it is: both have to end as the key.
func TestServiceKeyIsReadFromAFileAsATheToolsSaveIt(t *testing.T) {
	t.Parallel()
	key := toJSON(t, secretServiceKey())
	wide := []byte{0xff, 0xfe}
	for _, c := range []byte(key) {
		wide = append(wide, c, 0)
	}
	for name, content := range map[string][]byte{
		"bare":                 []byte(key),
		"of cf service-key":    []byte("Getting key audit-key for service instance audit as kim@example.org...\n\n" + key + "\n"),
		"of PowerShell":        wide,
		"of kubectl, as text":  []byte(toJSON(t, values{"apiVersion": "v1", "kind": "Secret", "stringData": values{"key": key}})),
		"user-provided":        []byte(toJSON(t, values{"user-provided": []any{values{"credentials": secretServiceKey()}}})),
		"with joined names":    []byte(toJSON(t, values{"UAA_CLIENTID": testClientID, "UAA_CLIENTSECRET": testSecret, "UAA_URL": testTokenURL, "URL": testEndpoint})),
		"with its line ends":   []byte(key + "\r\n"),
		"with a mark in UTF-8": []byte("\xef\xbb\xbf" + key),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "key.json")
			require.NoError(t, os.WriteFile(path, content, 0o600))
			require.Empty(t, distribution.ValidateArgs(t, nil, "--config",
				`yaml:{receivers: {sap_btp_audit: {service_key: "${file:`+path+`}"}}, exporters: {debug: }, `+
					`service: {pipelines: {logs: {receivers: [sap_btp_audit], exporters: [debug]}}}}`))
		})
	}
}
