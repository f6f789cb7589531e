// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

func TestDefaultConfig(t *testing.T) {
	cfg := createDefaultConfig()
	require.NoError(t, componenttest.CheckConfigStruct(cfg))
	require.ErrorContains(t, confmap.Validate(cfg), "credentials are missing")

	c, ok := cfg.(*Config)
	require.True(t, ok)
	require.Equal(t, 120*time.Second, c.ClientConfig.Timeout)
	require.Zero(t, c.RetryOnFailure.MaxElapsedTime)
	require.Equal(t, 24*time.Hour, c.Quarantine.RetryInterval)
	require.True(t, c.RetryOnFailure.Enabled)
	c.ServiceKeys = []string{"/etc/keys/*"}
	require.NoError(t, confmap.Validate(cfg), "the defaults themselves are valid")
}

func TestValidConfigs(t *testing.T) {
	pair := newCertPair(t)
	selfManaged := x509ServiceKey(pair)
	delete(selfManaged["uaa"].(values), "key")
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	keyText := toJSON(t, secretServiceKey())
	escape := strings.NewReplacer("\n", `\n`)
	for name, value := range map[string]string{
		"CLIENT_SECRET": testSecret, "DIGITS": testDigits, "SECRET_FILE": write("secret", testSecret+"\n"),
		"CERT_PEM": string(pair.cert), "KEY_PEM": string(pair.key),
		"CERT_PEM_ESCAPED": escape.Replace(string(pair.cert)), "KEY_PEM_ESCAPED": escape.Replace(string(pair.key)),
		"SERVICE_KEY": keyText, "SERVICE_KEY_FILE": write("key.json", keyText+"\n"),
		"SERVICE_KEY_X509": toJSON(t, x509ServiceKey(pair)), "SERVICE_KEY_SELF_MANAGED": toJSON(t, selfManaged),
	} {
		t.Setenv(name, value)
	}
	conf := resolve(t, filepath.Join("testdata", "config.yaml"))

	secretKey := explicitSecretKey()
	digitsKey := secretKey
	digitsKey.ClientSecret = testDigits
	fromServiceKey := secretKey
	fromServiceKey.TenantID, fromServiceKey.Name = "tenant", "acme"
	fromMap := fromServiceKey
	fromMap.ClientSecret = testDigits
	fromFile := secretKey
	fromFile.ClientSecret = ""
	certFiles := secretKey
	certFiles.TokenURL, certFiles.ClientSecret, certFiles.AuthType = testCertURL+"/oauth/token", "", servicekey.MutualTLS
	certPEM := certFiles
	certPEM.CertPEM, certPEM.KeyPEM, certPEM.NotAfter = pair.cert, pair.key, pair.notAfter
	x509Key := certPEM
	x509Key.TenantID, x509Key.Name = "tenant", "acme"
	selfManagedKey := certFiles
	selfManagedKey.TenantID, selfManagedKey.Name = "tenant", "acme"
	gatewayKey := secretKey
	gatewayKey.Endpoint, gatewayKey.TokenURL = "https://gateway.example.com/audit", "https://gateway.example.com/uaa/oauth/token"
	local := func(endpoint, token string) servicekey.Key {
		return servicekey.Key{
			Endpoint: endpoint, TokenURL: token + "/oauth/token", ClientID: "id", ClientSecret: testSecret, AuthType: servicekey.ClientSecret,
		}
	}

	want := map[string][]servicekey.Key{
		"secret":                               {secretKey},
		"secret_of_digits":                     {digitsKey},
		"secret_with_full_token_url":           {secretKey},
		"secret_file":                          {fromFile},
		"secret_with_line_end":                 {secretKey},
		"secret_and_certificate_for_a_gateway": {gatewayKey},
		"mtls_files":                           {certFiles},
		"mtls_pem":                             {certPEM},
		"mtls_escaped_pem":                     {certPEM},
		"service_key_env":                      {fromServiceKey},
		"service_key_file":                     {fromServiceKey},
		"service_key_text":                     {fromServiceKey},
		"service_key_map":                      {fromMap},
		"service_key_x509":                     {x509Key},
		"service_key_self_managed":             {selfManagedKey},
		"service_key_with_its_own_endpoint":    {fromServiceKey},
		"service_keys":                         nil,
		"authenticator":                        nil,
		"loopback":                             {local("http://127.0.0.1:8080", "http://localhost:8080")},
		"insecure":                             {local("http://simulator:8080", "http://simulator:8080")},
		"everything":                           {secretKey},
	}
	require.Len(t, conf.ToStringMap(), len(want))
	for name, keys := range want {
		t.Run(name, func(t *testing.T) {
			sub, err := conf.Sub("sap_btp_audit/" + name)
			require.NoError(t, err)
			cfg := createDefaultConfig()
			require.NoError(t, sub.Unmarshal(cfg))
			require.NoError(t, confmap.Validate(cfg))
			got, err := cfg.(*Config).credentials()
			require.NoError(t, err)
			require.Equal(t, keys, got)
		})
	}

	t.Run("everything is decoded", func(t *testing.T) {
		sub, err := conf.Sub("sap_btp_audit/everything")
		require.NoError(t, err)
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, sub.Unmarshal(cfg))

		expected := createDefaultConfig().(*Config)
		storage, elector := component.MustNewIDWithName("file_storage", "audit"), component.MustNewIDWithName("k8s_leader_elector", "audit")
		expected.ClientConfig.Endpoint = testEndpoint
		expected.ClientConfig.Timeout = 30 * time.Second
		expected.ClientConfig.ProxyURL = "http://proxy:3128"
		expected.ClientConfig.Headers.Set("x-trace", "canary")
		expected.ClientConfig.DisableKeepAlives = true //nolint:staticcheck // ClientConfig.Unmarshal folds keepalive into it
		expected.TokenURL, expected.ClientID, expected.ClientSecret = testTokenURL, testClientID, testSecret
		expected.StorageID, expected.LeaderElectorID = &storage, &elector
		expected.PollInterval = 10 * time.Millisecond
		expected.InitialLookback = 90 * 24 * time.Hour
		expected.Sweeps = []time.Duration{0, time.Second, 24 * time.Hour}
		expected.MaxEventsPerPoll = 500
		expected.RequestsPerSecond = 2.5
		expected.Concurrency = 16
		expected.Categories = []string{"audit.configuration", "audit.data-access"}
		expected.DropOwnEvents, expected.IncludeOriginal, expected.Body = true, true, bodyString
		expected.Quarantine.RetryInterval = 6 * time.Hour
		expected.RetryOnFailure.InitialInterval = 10 * time.Millisecond
		expected.RetryOnFailure.MaxElapsedTime = time.Hour
		require.Equal(t, expected, cfg)
	})
}

func TestPrintedConfigHidesSecrets(t *testing.T) {
	pair := newCertPair(t)
	canaries := []string{testSecret, "canary", strings.Split(string(pair.key), "\n")[1], strings.Split(string(pair.cert), "\n")[1]}
	cfg := createDefaultConfig().(*Config)
	cfg.ClientSecret = testSecret
	cfg.ServiceKey = configopaque.String(toJSON(t, x509ServiceKey(pair)) + testSecret)
	cfg.ClientConfig.Headers.Set("x-api-key", "canary")
	cfg.ClientConfig.TLS.CertPem, cfg.ClientConfig.TLS.KeyPem = pair.cert, pair.key
	cfg.ClientID = "visible"

	printed := []string{toJSON(t, cfg)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		printed = append(printed, fmt.Sprintf(format, cfg), fmt.Sprintf(format, *cfg))
	}
	inYAML, err := yaml.Marshal(cfg)
	require.NoError(t, err)
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	printed = append(printed, string(inYAML), fmt.Sprint(conf.ToStringMap()))

	for _, text := range printed {
		require.Contains(t, text, "visible", "it is the config that was printed")
		for _, canary := range canaries {
			require.NotContains(t, text, canary)
		}
	}
}

func TestPrintedConfigHidesThePasswordOfTheProxy(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.ClientID = testClientID
	cfg.ClientConfig.ProxyURL = "http://me:canary@proxy:3128"
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	require.Equal(t, "http://me:REDACTED@proxy:3128", conf.Get("proxy_url"))
	require.Equal(t, testClientID, conf.Get("client_id"))
	require.Equal(t, "http://me:canary@proxy:3128", cfg.ClientConfig.ProxyURL, "it is still used")
}

func TestPrintedConfigCanBeReadAgain(t *testing.T) {
	printed := func(cfg component.Config) values {
		conf := confmap.New()
		require.NoError(t, conf.Marshal(cfg))
		return conf.ToStringMap()
	}
	cfg := createDefaultConfig()
	cfg.(*Config).ServiceKeys = []string{"/etc/keys/*"}
	again := createDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(printed(cfg)).Unmarshal(again))
	require.NoError(t, confmap.Validate(again))
	require.Equal(t, printed(cfg), printed(again))
}

func TestClientSecretFileIsReadAtEachUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	cfg := createDefaultConfig().(*Config)
	cfg.ClientSecretFile = path
	secret := cfg.secretOf(explicitSecretKey())

	_, err := secret()
	require.ErrorIs(t, err, os.ErrNotExist)
	require.EqualError(t, err, "client_secret_file "+path+": no such file or directory")
	for _, want := range []string{"first", "second+/=$"} {
		require.NoError(t, os.WriteFile(path, []byte(want+"\r\n"), 0o600))
		var got string
		got, err = secret()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, os.WriteFile(path, []byte("\n"), 0o600))
	_, err = secret()
	require.ErrorContains(t, err, "is empty")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("canary", maxSecretFile)), 0o600))
	_, err = secret()
	require.ErrorContains(t, err, "larger than 65536 bytes")
	require.NotContains(t, err.Error(), "canary")
}

func TestClientSecretOfAKeyWithoutFile(t *testing.T) {
	secret, err := createDefaultConfig().(*Config).secretOf(explicitSecretKey())()
	require.NoError(t, err)
	require.Equal(t, testSecret, secret)
}

func TestLoadKeysReturnsTheUsableOnes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.json")
	plain := secretServiceKey()
	plain["url"] = "http://simulator:8080"
	require.NoError(t, os.WriteFile(path, []byte(toJSON(t, values{"auditlog-management": []any{
		values{"credentials": secretServiceKey()}, values{"credentials": plain}, values{"credentials": values{}},
	}})), 0o600))

	cfg := createDefaultConfig().(*Config)
	keys, err := cfg.loadKeys(path)
	require.Len(t, keys, 1)
	require.Equal(t, testEndpoint, keys[0].Endpoint)
	require.ErrorContains(t, err, "a URL in it is http")
	require.NotContains(t, err.Error(), path, "whoever reports it names it")
	require.ErrorContains(t, err, "auditlog-management[2]: no service key in it")

	cfg.ClientConfig.TLS.Insecure = true
	keys, _ = cfg.loadKeys(path)
	require.Len(t, keys, 2)
}
