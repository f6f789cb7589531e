// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

// testConfig has the shape of both receivers' configs.
type testConfig struct {
	ClientConfig confighttp.ClientConfig             `mapstructure:",squash"`
	Spool        spoolConfig                         `mapstructure:"spool"`
	Squashed     squashedConfig                      `mapstructure:",squash"`
	Optional     configoptional.Optional[flatConfig] `mapstructure:"optional"`
	Retry        configretry.BackOffConfig           `mapstructure:"retry_on_failure"`
	Storage      *component.ID                       `mapstructure:"storage"`
	Names        []string                            `mapstructure:"names"`
	Labels       map[string]string                   `mapstructure:"labels"`
	Untagged     string
	Hidden       string `mapstructure:"-"`
}

type spoolConfig struct {
	MaxSizeMiB int          `mapstructure:"max_size_mib"`
	Deep       *flatConfig  `mapstructure:"deep"`
	List       []flatConfig `mapstructure:"list"`
	More       openConfig   `mapstructure:"more"`
}

type squashedConfig struct {
	Interval time.Duration `mapstructure:"interval"`
	Flat     flatConfig    `mapstructure:"flat"`
}

type flatConfig struct {
	Size int `mapstructure:"size"`
}

type openConfig struct {
	Known string         `mapstructure:"known"`
	Rest  map[string]any `mapstructure:",remain"`
}

func (c *testConfig) Unmarshal(conf *confmap.Conf) error { return Unmarshal(conf, c) }

func decode(t *testing.T, yaml string) error {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf.Unmarshal(&testConfig{ClientConfig: confighttp.NewDefaultClientConfig()})
}

func TestUnmarshalDecodesEveryKey(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/all.yaml")
	require.NoError(t, err)
	cfg := testConfig{ClientConfig: confighttp.NewDefaultClientConfig()}
	require.NoError(t, conf.Unmarshal(&cfg))

	require.Equal(t, "https://example.com", cfg.ClientConfig.Endpoint)
	require.Equal(t, 7*time.Second, cfg.ClientConfig.Timeout)
	require.True(t, cfg.ClientConfig.TLS.InsecureSkipVerify)
	require.Equal(t, "/ca.pem", cfg.ClientConfig.TLS.CAFile)
	require.True(t, cfg.ClientConfig.TLS.TPMConfig.Enabled)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(&cfg))
	require.Equal(t, 3, printed.Get("max_idle_conns"), "ClientConfig.Unmarshal folds keepalive into this")
	value, found := cfg.ClientConfig.Headers.Get("any-name")
	require.True(t, found)
	require.Equal(t, "v", string(value))
	require.Equal(t, component.MustNewID("oauth2client"), cfg.ClientConfig.Auth.Get().AuthenticatorID)
	require.Len(t, cfg.ClientConfig.Middlewares, 1)
	require.True(t, cfg.ClientConfig.Cookies.HasValue())

	require.Equal(t, 5, cfg.Spool.MaxSizeMiB)
	require.Equal(t, 1, cfg.Spool.Deep.Size)
	require.Equal(t, []flatConfig{{Size: 2}, {Size: 3}}, cfg.Spool.List)
	require.Equal(t, map[string]any{"anything": "goes"}, cfg.Spool.More.Rest)
	require.Equal(t, time.Second, cfg.Squashed.Interval)
	require.Equal(t, 4, cfg.Squashed.Flat.Size)
	require.Equal(t, 6, cfg.Optional.Get().Size)
	require.Equal(t, 9*time.Second, cfg.Retry.MaxInterval)
	require.Equal(t, component.MustNewIDWithName("file_storage", "x"), *cfg.Storage)
	require.Equal(t, []string{"a", "b"}, cfg.Names)
	require.Equal(t, map[string]string{"free": "choice"}, cfg.Labels)
	require.Equal(t, "u", cfg.Untagged)
}

func TestUnmarshalRejectsUnknownKeysAtEveryLevel(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"top level", `endpiont: x`, `unknown key "endpiont": did you mean "endpoint"?`},
		{"top level, own section's name", `spol: {}`, `unknown key "spol": did you mean "spool"?`},
		{"top level, squashed struct's key", `intervall: 1s`, `unknown key "intervall": did you mean "interval"?`},
		{"case matters", `Endpoint: x`, `unknown key "Endpoint": did you mean "endpoint"?`},
		{"right name in the wrong section", `insecure_skip_verify: true`, `unknown key "insecure_skip_verify": did you mean "tls::insecure_skip_verify"?`},
		{"top level name in a section", `tls: {timeout: 1s}`, `unknown key "tls::timeout": did you mean "timeout"?`},
		{"inside tls", `tls: {ca_fiel: x}`, `unknown key "tls::ca_fiel": did you mean "tls::ca_file"?`},
		{"inside tls::tpm", `tls: {tpm: {pth: x}}`, `unknown key "tls::tpm::pth": did you mean "tls::tpm::path"?`},
		{"inside keepalive", `keepalive: {max_idle_con: 1}`, `unknown key "keepalive::max_idle_con": did you mean "keepalive::max_idle_conns"?`},
		{"inside auth", `auth: {authentcator: x}`, `unknown key "auth::authentcator": did you mean "auth::authenticator"?`},
		{"inside compression_params", `compression_params: {levl: 1}`, `unknown key "compression_params::levl": did you mean "compression_params::level"?`},
		{"inside cookies", `cookies: {enabld: true}`, `unknown key "cookies::enabld": did you mean "cookies::enabled"?`},
		{"inside a middleware", `middlewares: [{id: a}, {idd: b}]`, `unknown key "middlewares::1::idd"`},
		{"inside a header given as a list", `headers: [{name: a, valeu: b}]`, `unknown key "headers::0::valeu": did you mean "headers::0::value"?`},
		{"inside an own section", `spool: {max_size_mb: 1}`, `unknown key "spool::max_size_mb": did you mean "spool::max_size_mib"?`},
		{"behind a pointer", `spool: {deep: {siz: 1}}`, `unknown key "spool::deep::siz": did you mean "spool::deep::size"?`},
		{"inside a list of sections", `spool: {list: [{size: 1}, {sizze: 1}]}`, `unknown key "spool::list::1::sizze": did you mean "spool::list::1::size"?`},
		{"inside a squashed struct's section", `flat: {sise: 1}`, `unknown key "flat::sise": did you mean "flat::size"?`},
		{"inside an optional section", `optional: {enabled: true, siize: 1}`, `unknown key "optional::siize": did you mean "optional::size"?`},
		{"inside retry_on_failure", `retry_on_failure: {max_elapsd_time: 1s}`, `unknown key "retry_on_failure::max_elapsd_time": did you mean "retry_on_failure::max_elapsed_time"?`},
		{"a field that is not configuration", `Hidden: x`, `unknown key "Hidden"`},
		{"nothing similar", `spool: {quite_other: 1}`, `unknown key "spool::quite_other": the keys here are deep, list, max_size_mib, more`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := decode(t, tt.yaml)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestUnmarshalNamesAllUnknownKeysAndNoValues(t *testing.T) {
	err := decode(t, "endpiont: canary-1\nspool: {sizes: canary-2}\ntls: {key_pme: canary-3}\n")
	for _, key := range []string{"endpiont", "spool::sizes", "tls::key_pme"} {
		require.ErrorContains(t, err, key)
	}
	require.NotContains(t, err.Error(), "canary")
}

func TestUnmarshalLeavesWrongTypesToTheDecoder(t *testing.T) {
	for _, yaml := range []string{`tls: text`, `spool: [1]`, `names: {a: b}`, `timeout: {a: b}`} {
		err := decode(t, yaml)
		require.Error(t, err, yaml)
		require.NotContains(t, err.Error(), "unknown key", yaml)
	}
}

func TestUnmarshalRejectsASectionInPlaceOfAnID(t *testing.T) {
	err := decode(t, `storage: {file_storage: x}`)
	require.ErrorContains(t, err, `"storage" takes a text, not a section`)
}

func TestUnmarshalAcceptsEmptySections(t *testing.T) {
	for _, yaml := range []string{"", "tls:", "tls: {}", "spool:", "keepalive:", "optional:", "spool: {list: [], deep: }"} {
		err := decode(t, yaml)
		require.NoError(t, err, yaml)
	}
}

func TestSchemaEndsOnTypesThatContainThemselves(t *testing.T) {
	type node struct {
		Next *node `mapstructure:"next"`
	}
	require.NoError(t, checkKeys(map[string]any{"next": map[string]any{"next": nil}}, &node{}))
	require.Error(t, checkKeys(map[string]any{"next": map[string]any{"nxt": nil}}, &node{}))
}

func TestMostSimilar(t *testing.T) {
	tests := []struct{ key, want string }{
		{"clientid", "client_id"},
		{"client-secret", "client_secret"},
		{"pol_interval", "poll_interval"},
		{"poll_intreval", "poll_interval"},
		{"xyz", ""},
		{"", ""},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, mostSimilar(tt.key, []string{"client_id", "client_secret", "poll_interval", "abc"}), tt.key)
	}
}
