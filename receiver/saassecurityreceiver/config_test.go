// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/metadata"
)

func TestDefaultConfig(t *testing.T) {
	cfg := createDefaultConfig()
	require.NoError(t, componenttest.CheckConfigStruct(cfg))
	require.ErrorContains(t, confmap.Validate(cfg), "endpoint is missing")

	c := cfg.(*Config)
	require.Equal(t, time.Minute, c.ClientConfig.Timeout)
	require.Equal(t, 30*time.Second, c.PollInterval)
	require.Equal(t, 1000, c.MaxEventsPerPoll)
	require.Equal(t, 10, c.MaxReaders)
	require.Equal(t, 1024, c.Spool.MaxSizeMiB)
	require.Equal(t, "map", c.Body)
	require.True(t, c.RetryOnFailure.Enabled)
	require.Zero(t, c.RetryOnFailure.MaxElapsedTime)
	require.Equal(t, 24*time.Hour, c.Quarantine.RetryInterval)
}

func load(t *testing.T, name string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub("saas_security/" + name)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestValidConfigs(t *testing.T) {
	for name, tokenURL := range map[string]string{
		"minimal":       "https://api.aperture.paloaltonetworks.com/oauth/token",
		"secret_file":   "https://api.aperture-eu.paloaltonetworks.com/oauth/token",
		"loopback":      "http://127.0.0.1:8080/oauth/token",
		"insecure":      "http://simulator:8080/oauth/token",
		"authenticator": "https://api.jp1.prisma-saas.paloaltonetworks.com/oauth/token",
		"everything":    "https://login.example.com/oauth/token",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := load(t, name)
			require.NoError(t, confmap.Validate(cfg))
			require.Equal(t, tokenURL, cfg.tokenURL())
		})
	}
	for region, host := range regions {
		cfg := load(t, "minimal")
		cfg.ClientConfig.Endpoint = "https://" + host
		require.NoError(t, confmap.Validate(cfg), region)
	}
}

func TestEverythingIsDecoded(t *testing.T) {
	want := createDefaultConfig().(*Config)
	storage, elector := component.MustNewIDWithName("file_storage", "audit"), component.MustNewIDWithName("k8s_leader_elector", "audit")
	want.ClientConfig.Endpoint = "https://gateway.example.com/saas"
	want.ClientConfig.Timeout = 45 * time.Second
	want.ClientConfig.ProxyURL = "http://proxy:3128"
	want.ClientConfig.Headers.Set("x-trace", "canary")
	want.TokenURL = "https://login.example.com/oauth/token"
	want.ClientID, want.ClientSecret = "canary-id", "canary"
	want.StorageID, want.LeaderElectorID = &storage, &elector
	want.Spool = SpoolConfig{MaxSizeMiB: 64, EncryptionKeyFile: "/run/secrets/spool.key"}
	want.PollInterval, want.MaxEventsPerPoll, want.MaxReaders = 10*time.Millisecond, 0, 30
	want.Body, want.IncludeOriginal = "string", true
	want.Quarantine.RetryInterval = 6 * time.Hour
	want.RetryOnFailure.InitialInterval, want.RetryOnFailure.MaxElapsedTime = 10*time.Millisecond, time.Hour
	require.Equal(t, want, load(t, "everything"))
}

func minimalConfig() map[string]any {
	return map[string]any{"endpoint": "https://api.aperture.paloaltonetworks.com", "client_id": "id", "client_secret": "canary"}
}

func TestTheProgramAcceptsTheConfigThatTheWrongOnesStartFrom(t *testing.T) {
	t.Parallel()
	require.Empty(t, distribution.Validate(t, metadata.Type.String(), minimalConfig()))
}

func TestWrongConfigsNameKeyAndCure(t *testing.T) {
	t.Parallel()
	file := func(cfg map[string]any) {
		delete(cfg, "client_secret")
		cfg["client_secret_file"] = "/x"
	}
	set := func(key string, value any) func(map[string]any) {
		return func(cfg map[string]any) { cfg[key] = value }
	}
	unset := func(key string) func(map[string]any) {
		return func(cfg map[string]any) { delete(cfg, key) }
	}
	for _, tt := range []struct {
		name   string
		change func(map[string]any)
		want   string
	}{
		{"no endpoint", unset("endpoint"), "endpoint is missing: set it to the URL of your region"},
		{"empty endpoint", set("endpoint", ""), "endpoint is empty: is the environment variable or the file behind it set?"},
		{"region for endpoint", set("endpoint", "EU"), "endpoint is a region, not a URL; set it to https://api.aperture-eu.paloaltonetworks.com"},
		{"endpoint with token path", set("endpoint", "https://api.aperture.paloaltonetworks.com/oauth/token/"), "ends in /oauth/token"},
		{"endpoint with API path", set("endpoint", "https://api.aperture.paloaltonetworks.com/api/v1/log_events_bulk"), "contains the path /api/v1"},
		{"endpoint of the UI", set("endpoint", "https://aperture-eu.paloaltonetworks.com"), "endpoint is the host of the user interface"},
		{"endpoint over http", set("endpoint", "http://api.aperture.paloaltonetworks.com"), "endpoint: must use https"},
		{"endpoint with password", set("endpoint", "https://me:canary@api.aperture.paloaltonetworks.com"), "endpoint: must not contain a user name or password"},
		{"endpoint with query", set("endpoint", "https://api.aperture.paloaltonetworks.com?size=1000"), "endpoint: must not contain a query"},
		{"token_url over http", set("token_url", "http://login.example.com"), "token_url: must use https"},
		{"token_url of the API", set("token_url", "https://api.aperture.paloaltonetworks.com/api/v1/log_events"), "token_url is an address of the API"},
		{"no id", unset("client_id"), "client_id is missing"},
		{"no secret", unset("client_secret"), "client_secret is missing"},
		{"two secrets", set("client_secret_file", "/x"), "client_secret and client_secret_file are both set"},
		{"empty secret", set("client_secret", " "), "client_secret is empty"},
		{"authenticator beside secret", set("auth", map[string]any{"authenticator": "oauth2client"}), "credentials come from more than one source"},
		{"authenticator beside token_url", func(cfg map[string]any) {
			delete(cfg, "client_secret")
			delete(cfg, "client_id")
			cfg["auth"], cfg["token_url"] = map[string]any{"authenticator": "oauth2client"}, "https://login.example.com"
		}, "token_url is set beside auth"},
		{"timeout below the long poll", set("timeout", "20s"), "timeout must be at least 30s"},
		{"TLS 1.0", set("tls", map[string]any{"min_version": "1.0"}), "tls.min_version 1.0 is not safe"},
		{"no timeout", set("timeout", "0s"), "timeout must be at least 30s"},
		{"proxy with a password that is not encoded", set("proxy_url", "http://me:canary%@proxy:3128"), "proxy_url is not the URL of a proxy"},
		{"own authorization", set("headers", map[string]any{"authorization": "canary"}), "headers sets Authorization"},
		{"no pause", set("poll_interval", "0s"), "poll_interval must be greater than 0 and at most 30m"},
		{"pause beyond expiry", set("poll_interval", "1h"), "poll_interval must be greater than 0 and at most 30m"},
		{"limit not in hundreds", set("max_events_per_poll", 1050), "max_events_per_poll must be a multiple of 100"},
		{"negative limit", set("max_events_per_poll", -100), "max_events_per_poll must be a multiple of 100"},
		{"no reader", set("max_readers", 0), "max_readers must be from 1 to 30"},
		{"too many readers", set("max_readers", 31), "max_readers must be from 1 to 30"},
		{"tiny spool", set("spool", map[string]any{"max_size_mib": 1}), "spool::max_size_mib must be from 16 to 1048576"},
		{"spool larger than any disk", set("spool", map[string]any{"max_size_mib": 1 << 43}), "spool::max_size_mib must be from 16 to 1048576"},
		{"unknown body", set("body", "json"), "body must be map (the parsed event) or string"},
		{"typo at the top", set("max_reader", 3), `unknown key "max_reader": did you mean "max_readers"?`},
		{"typo in spool", set("spool", map[string]any{"max_size_mb": 1}), `unknown key "spool::max_size_mb": did you mean "spool::max_size_mib"?`},
		{"typo in tls", set("tls", map[string]any{"ca_fiel": "/x"}), `unknown key "tls::ca_fiel": did you mean "tls::ca_file"?`},
		{"negative interval of the quarantine", set("quarantine", map[string]any{"retry_interval": "-1s"}), "quarantine::retry_interval must be at least 1m, or 0s"},
		{"interval of the quarantine too short", set("quarantine", map[string]any{"retry_interval": "59s"}), "quarantine::retry_interval must be at least 1m, or 0s"},
		{"typo in quarantine", set("quarantine", map[string]any{"retry_intervall": "1h"}), `did you mean "quarantine::retry_interval"?`},
		{"typo in retry", set("retry_on_failure", map[string]any{"max_elapsed": "1s"}), `unknown key "retry_on_failure::max_elapsed"`},
		{"typo beside file", func(cfg map[string]any) { file(cfg); cfg["client_secretfile"] = "/y" }, `unknown key "client_secretfile"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			values := minimalConfig()
			tt.change(values)
			cfg := createDefaultConfig()
			err := confmap.NewFromStringMap(values).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "canary")
			// Not only the package has to refuse it, but also what a user runs.
			said := distribution.Validate(t, metadata.Type.String(), values)
			require.Contains(t, said, tt.want)
			require.NotContains(t, said, "canary")
		})
	}
}

// What validate says of files, a start need not: client_secret_file is read at use.
func TestValidateSaysWhichFilesAreMissingOrWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	absent, wrong := filepath.Join(dir, "absent"), filepath.Join(dir, "wrong")
	require.NoError(t, os.WriteFile(wrong, []byte("canary"), 0o600))
	for key, tt := range map[string]struct {
		value any
		want  string
	}{
		"client_secret_file": {absent, "client_secret_file " + absent + ": no such file"},
		"tls":                {map[string]any{"ca_file": absent}, "check ca_file"},
		"spool":              {map[string]any{"encryption_key_file": wrong}, "spool::encryption_key_file " + wrong},
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			values := minimalConfig()
			if key == "client_secret_file" {
				delete(values, "client_secret")
			}
			values[key] = tt.value
			cfg := createDefaultConfig()
			require.NoError(t, confmap.NewFromStringMap(values).Unmarshal(cfg))
			require.NoError(t, confmap.Validate(cfg), "as at a start")
			said := distribution.Validate(t, metadata.Type.String(), values)
			require.Contains(t, said, tt.want)
			require.NotContains(t, said, "canary")
		})
	}
}

func TestPrintedConfigHidesSecrets(t *testing.T) {
	cfg := load(t, "everything")
	cfg.ClientID = "visible"
	inJSON, err := json.Marshal(cfg)
	require.NoError(t, err)
	inYAML, err := yaml.Marshal(cfg)
	require.NoError(t, err)
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	for _, text := range []string{
		string(inJSON), string(inYAML), fmt.Sprint(conf.ToStringMap()),
		fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), fmt.Sprintf("%v %+v %#v", *cfg, *cfg, *cfg),
	} {
		require.Contains(t, text, "visible", "it is the config that was printed")
		require.NotContains(t, text, "canary")
	}
}

func TestPrintedConfigHidesThePasswordOfTheProxy(t *testing.T) {
	cfg := load(t, "everything")
	cfg.ClientConfig.ProxyURL = "http://me:canary@proxy:3128"
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	require.Equal(t, "http://me:REDACTED@proxy:3128", conf.Get("proxy_url"))
	require.Equal(t, cfg.ClientID, conf.Get("client_id"))
	require.Equal(t, "http://me:canary@proxy:3128", cfg.ClientConfig.ProxyURL, "it is still used")
}

func TestOpenReadsAreBoundedByTheLimitOfAPoll(t *testing.T) {
	for _, tt := range []struct{ limit, readers, want int }{
		{0, 30, 30}, {100, 10, 1}, {500, 10, 5}, {1000, 10, 10}, {1000, 30, 10}, {5000, 10, 10},
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.MaxEventsPerPoll, cfg.MaxReaders = tt.limit, tt.readers
		require.Equal(t, tt.want, cfg.maxOpen(), tt)
	}
}

func TestSecretFileIsReadAtEachUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	cfg := createDefaultConfig().(*Config)
	cfg.ClientSecretFile = path
	_, err := cfg.secret()
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "client_secret_file "+path)
	for _, want := range []string{"first", "second+/=$"} {
		require.NoError(t, os.WriteFile(path, []byte(want+"\r\n"), 0o600))
		var got string
		got, err = cfg.secret()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for content, want := range map[string]string{"\n": "is empty", strings.Repeat("canary", maxSecretFile): "larger than 65536 bytes"} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err = cfg.secret()
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "canary")
	}
}
