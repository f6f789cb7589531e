// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
)

// load decodes and validates a configuration as the Collector does.
func load(config values) error {
	cfg := createDefaultConfig()
	if err := confmap.NewFromStringMap(config).Unmarshal(cfg); err != nil {
		return err
	}
	return confmap.Validate(cfg)
}

// with returns a copy of base in which the given keys are set, or removed where nil.
func with(base, changes values) values {
	out := maps.Clone(base)
	for key, value := range changes {
		if value == nil {
			delete(out, key)
		} else {
			out[key] = value
		}
	}
	return out
}

func explicitConfig() values {
	return values{"endpoint": testEndpoint, "token_url": testTokenURL, "client_id": testClientID, "client_secret": testSecret}
}

func TestWrongConfigsAreRejectedWithTheirCure(t *testing.T) {
	t.Parallel()
	pair, other := newCertPair(t), newCertPair(t)
	secret := func(changes values) values { return with(explicitConfig(), changes) }
	tlsFiles := values{"cert_file": "/c", "key_file": "/k"}
	mtls := func(changes values) values {
		return with(secret(values{"client_secret": nil, "token_url": testCertURL, "tls": tlsFiles}), changes)
	}
	pem := func(cert, key string) values { return mtls(values{"tls": values{"cert_pem": cert, "key_pem": key}}) }
	serviceKey := func(uaa, root values) values {
		key := with(secretServiceKey(), root)
		key["uaa"] = with(secretServiceKey()["uaa"].(values), uaa)
		return values{"service_key": toJSON(t, key)}
	}
	certKey := func(uaa values) values {
		key := x509ServiceKey(pair)
		key["uaa"] = with(key["uaa"].(values), uaa)
		return values{"service_key": toJSON(t, key)}
	}
	auth := values{"authenticator": "oauth2client"}

	tests := []struct {
		name   string
		config values
		want   []string
	}{
		// Where the credentials come from.
		{"nothing", values{}, []string{"credentials are missing", "service_key", "service_keys", "auth", "client_id"}},
		{"endpoint only", values{"endpoint": testEndpoint}, []string{"credentials are missing"}},
		{"fields and service_key", secret(values{"service_key": "{}"}), []string{"from token_url, client_id, client_secret and from service_key", "keep one"}},
		{"fields and service_keys", secret(values{"service_keys": []any{"/k"}}), []string{"and from service_keys"}},
		{"fields and auth", secret(values{"auth": auth}), []string{"and from auth"}},
		{"service_key and service_keys", values{"service_key": "{}", "service_keys": []any{"/k"}}, []string{"from service_key and from service_keys"}},
		{"service_keys and auth", values{"service_keys": []any{"/k"}, "auth": auth}, []string{"from service_keys and from auth"}},
		{"auth without endpoint", values{"auth": auth}, []string{"endpoint is missing", "field url of the service key"}},
		{"auth with auth_type", values{"auth": auth, "endpoint": testEndpoint, "auth_type": "mtls"}, []string{"auth_type is set beside auth", "remove auth_type"}},

		// Empty values, as from unset variables.
		{"empty service_key", values{"service_key": ""}, []string{"service_key is empty", "environment variable"}},
		{"empty client_secret", secret(values{"client_secret": " "}), []string{"client_secret is empty"}},
		{"empty client_id", secret(values{"client_id": ""}), []string{"client_id is empty"}},
		{"empty token_url", secret(values{"token_url": ""}), []string{"token_url is empty"}},
		{"empty endpoint", secret(values{"endpoint": ""}), []string{"endpoint is empty"}},
		{"empty client_secret_file", secret(values{"client_secret_file": ""}), []string{"client_secret_file is empty"}},

		// Explicit fields.
		{"endpoint missing", secret(values{"endpoint": nil}), []string{"endpoint is missing", "field url of the service key"}},
		{"token_url missing", secret(values{"token_url": nil}), []string{"token_url is missing", "uaa.url", "uaa.certurl"}},
		{"client_id missing", secret(values{"client_id": nil}), []string{"client_id is missing", "uaa.clientid"}},
		{"client_secret missing", secret(values{"client_secret": nil}), []string{"client_secret is missing", "tls.cert_file"}},
		{"two secrets", secret(values{"client_secret_file": "/s"}), []string{"client_secret and client_secret_file are both set", "remove one"}},
		{"secret and certificate", secret(values{"tls": tlsFiles}), []string{"client secret and a client certificate", "set auth_type"}},
		{"mtls with secret", mtls(values{"client_secret": testSecret, "auth_type": "mtls"}), []string{"auth_type is mtls, which uses no client secret", "remove client_secret"}},
		{"mtls without certificate", mtls(values{"auth_type": "mtls", "tls": nil}), []string{"auth_type is mtls, but there is no certificate", "tls.cert_pem and tls.key_pem"}},
		{"client_secret without secret", mtls(values{"auth_type": "client_secret"}), []string{"auth_type is client_secret, but there is none"}},
		{"unknown auth_type", secret(values{"auth_type": "x509"}), []string{"auth_type must be client_secret or mtls"}},
		{"certificate without key", mtls(values{"tls": values{"cert_file": "/c"}}), []string{"certificate without its private key", "tls.key_file"}},
		{"key without certificate", mtls(values{"tls": values{"key_pem": string(pair.key)}}), []string{"private key without its certificate", "tls.cert_file"}},
		{"certificate as file and PEM", mtls(values{"tls": with(tlsFiles, values{"cert_pem": string(pair.cert)})}), []string{"certificate file or PEM, but not both"}},
		{"certificate no PEM", pem("canary", string(pair.key)), []string{"tls.cert_pem, tls.key_pem: the certificate is not in PEM form"}},
		{"key no PEM", pem(string(pair.cert), "canary"), []string{"tls.cert_pem, tls.key_pem: the private key is not in PEM form"}},
		{"key of another certificate", pem(string(pair.cert), string(other.key)), []string{"do not belong together"}},

		// URLs mixed up.
		{"endpoint is uaa.url", secret(values{"endpoint": testTokenURL}), []string{"endpoint is the token service", "field url of the service key"}},
		{"endpoint is the token endpoint", secret(values{"endpoint": "https://proxy.example.com/oauth/token"}), []string{"endpoint is the token service"}},
		{"endpoint with the API path", secret(values{"endpoint": testEndpoint + "/auditlog/v2/auditlogrecords"}), []string{"endpoint contains the path /auditlog/v2", "remove it"}},
		{"endpoint of another service", secret(values{"endpoint": "https://api.cf.eu10.hana.ondemand.com"}), []string{"not of auditlog-management"}},
		{"endpoint without scheme", secret(values{"endpoint": "auditlog-management.cfapps.eu10.hana.ondemand.com"}), []string{"endpoint is not an https URL"}},
		{"endpoint with password", secret(values{"endpoint": "https://u:canary@example.com"}), []string{"endpoint contains a user or password"}},
		{"endpoint with query", secret(values{"endpoint": testEndpoint + "?x=canary"}), []string{"endpoint contains a query"}},
		{"endpoint unparseable", secret(values{"endpoint": "https://canary\x00"}), []string{"endpoint is not an https URL"}},
		{"endpoint unencrypted", secret(values{"endpoint": "http://example.com"}), []string{"endpoint is http", "tls.insecure: true"}},
		{"token_url unencrypted", secret(values{"token_url": "http://10.0.0.1"}), []string{"token_url is http", "use https"}},
		{"token_url is the API", secret(values{"token_url": testEndpoint}), []string{"token_url is the audit log API", "uaa.url"}},
		{"endpoint and token_url swapped", secret(values{"endpoint": testTokenURL, "token_url": testEndpoint}), []string{"endpoint is the token service", "token_url is the audit log API"}},
		{"secret at the certificate host", secret(values{"token_url": testCertURL}), []string{"token_url is the host for certificates", "uaa.url"}},
		{"secret file at the certificate host", secret(values{"token_url": testCertURL, "client_secret": nil, "client_secret_file": "/s"}), []string{"token_url is the host for certificates"}},
		{"certificate at the secret host", mtls(values{"token_url": testTokenURL}), []string{"token_url is the host for client secrets", "uaa.certurl"}},

		// service_key.
		{"key not JSON", values{"service_key": "canary"}, []string{"service_key: the service key is not JSON"}},
		{"key is a list", values{"service_key": []any{"canary"}}, []string{"service_key"}},
		{"key of xsuaa", values{"service_key": toJSON(t, values{"clientid": "canary", "clientsecret": testSecret, "url": testTokenURL})}, []string{"service_key: url", "another service"}},
		{"key of another service", serviceKey(nil, values{"url": "https://x.cfapps.eu10.hana.ondemand.com"}), []string{"service_key: url", "another service"}},
		{"key without clientid", serviceKey(values{"clientid": nil}, nil), []string{"service_key: the service key lacks uaa.clientid"}},
		{"key created without x509 parameters", with(serviceKey(nil, nil), values{"auth_type": "mtls"}), []string{"auth_type is mtls", "without the x509 parameters", `{"xsuaa":`}},
		{"certificate key with auth_type client_secret", with(certKey(nil), values{"auth_type": "client_secret"}), []string{"auth_type is client_secret", "holds a certificate"}},
		{"self-managed certificate without key", certKey(values{"key": nil}), []string{"self-managed certificate", "tls.key_file"}},
		{"two certificates", with(certKey(nil), values{"tls": tlsFiles}), []string{"service_key and tls both have a client certificate", "remove"}},
		{"key with damaged certificate", certKey(values{"certificate": "canary"}), []string{"service_key: uaa.certificate, uaa.key"}},
		{"key with another endpoint", with(serviceKey(nil, nil), values{"endpoint": "https://other.example.com"}), []string{"endpoint differs from the url in service_key", "remove endpoint"}},
		{"key with http URL", serviceKey(nil, values{"url": "http://example.com"}), []string{"service_key: a URL in it is http"}},
		{"key with http token URL", serviceKey(values{"url": "http://example.com"}, nil), []string{"service_key: a URL in it is http"}},
		{"key as map lacks fields", values{"service_key": values{"uaa": values{"clientid": "canary", "clientsecret": testSecret}, "url": testEndpoint}}, []string{"lacks uaa.url"}},
		{"unknown auth_type beside a key", with(serviceKey(nil, nil), values{"auth_type": "certificate"}), []string{"auth_type must be"}},

		// service_keys.
		{"keys with endpoint", values{"service_keys": []any{"/k"}, "endpoint": testEndpoint}, []string{"endpoint is set beside service_keys", "remove endpoint"}},
		{"keys with an empty path", values{"service_keys": []any{"/k", " "}}, []string{"service_keys[1] is empty"}},
		{"keys with a bad glob", values{"service_keys": []any{"/k[canary"}}, []string{"service_keys[0] is not a valid glob"}},
		{"keys with a key itself", values{"service_keys": []any{` {"uaa":"canary"}`}}, []string{"service_keys[0] is a service key itself", "use service_key"}},

		{"keys with cookies", values{"service_keys": []any{"/k"}, "cookies": values{"enabled": true}}, []string{"cookies are one jar for all subaccounts", "beside service_keys", "remove cookies"}},
		{
			"keys of several subaccounts with cookies",
			values{"service_key": values{"auditlog-management": []any{
				values{"credentials": secretServiceKey()},
				values{"credentials": with(secretServiceKey(), values{"uaa": with(secretServiceKey()["uaa"].(values), values{"tenantid": "another"})})},
			}}, "cookies": values{"enabled": true}},
			[]string{"cookies are one jar for all subaccounts", "give each a receiver"},
		},

		// HTTP client.
		{"TLS 1.1", secret(values{"tls": values{"min_version": "1.1"}}), []string{"tls.min_version 1.1 is not safe"}},
		{"no timeout", secret(values{"timeout": "0s"}), []string{"timeout must be greater than 0", "2m0s"}},
		{"negative timeout", secret(values{"timeout": "-1s"}), []string{"timeout must be greater than 0"}},
		{
			"proxy with a password that is not encoded", secret(values{"proxy_url": "http://me:canary%@proxy:3128"}),
			[]string{"proxy_url is not the URL of a proxy", "percent-encoded"},
		},
		{"own Authorization", secret(values{"headers": values{"authorization": "canary"}}), []string{"headers sets Authorization", "remove it"}},

		// Reading.
		{"poll_interval zero", secret(values{"poll_interval": "0s"}), []string{"poll_interval must be greater than 0", "1m0s"}},
		{"poll_interval not a duration", secret(values{"poll_interval": "fast"}), []string{"poll_interval"}},
		{"initial_lookback negative", secret(values{"initial_lookback": "-1h"}), []string{"initial_lookback must be from 0s", "2160h"}},
		{"initial_lookback beyond retention", secret(values{"initial_lookback": "2161h"}), []string{"initial_lookback must be from 0s"}},
		{"less than a page per poll", secret(values{"max_events_per_poll": 499}), []string{"max_events_per_poll must be at least 500"}},
		{"requests_per_second zero", secret(values{"requests_per_second": 0}), []string{"requests_per_second must be greater than 0", "remove it"}},
		{"requests_per_second negative", secret(values{"requests_per_second": -1.5}), []string{"requests_per_second must be greater than 0"}},
		{"concurrency zero", secret(values{"concurrency": 0}), []string{"concurrency must be from 1 to 16"}},
		{"concurrency too high", secret(values{"concurrency": 17}), []string{"concurrency must be from 1 to 16"}},
		{"no sweeps", secret(values{"sweeps": []any{}}), []string{"sweeps must begin with 0s"}},
		{"sweeps without 0s", secret(values{"sweeps": []any{"1m", "2m"}}), []string{"sweeps must begin with 0s"}},
		{"sweeps not ascending", secret(values{"sweeps": []any{"0s", "2m", "2m"}}), []string{"sweeps must ascend", "sweeps[2]"}},
		{"sweeps too long", secret(values{"sweeps": []any{"0s", "25h"}}), []string{"not be longer than 24h"}},
		{"short category", secret(values{"categories": []any{"audit.configuration", "data-access"}}), []string{"categories[1]", "audit.security-events", "audit.data-modification"}},
		{"unknown body", secret(values{"body": "json"}), []string{"body must be map", "string"}},
		{"negative interval of the quarantine", secret(values{"quarantine": values{"retry_interval": "-1s"}}), []string{"quarantine::retry_interval must be at least 1m, or 0s"}},
		{"interval of the quarantine too short", secret(values{"quarantine": values{"retry_interval": "59s"}}), []string{"quarantine::retry_interval must be at least 1m, or 0s"}},
		{"typo in quarantine", secret(values{"quarantine": values{"retry_intervall": "1h"}}), []string{`did you mean "quarantine::retry_interval"?`}},
		{"negative retry interval", secret(values{"retry_on_failure": values{"initial_interval": "-1s"}}), []string{"retry_on_failure", "initial_interval"}},
		{"storage as a section", secret(values{"storage": values{"file_storage": nil}}), []string{`"storage" takes a text`}},

		// Typos, at every level.
		{"typo at the top", secret(values{"pol_interval": "1m"}), []string{`unknown key "pol_interval": did you mean "poll_interval"?`}},
		{"typo in a client key", secret(values{"timout": "1m"}), []string{`did you mean "timeout"?`}},
		{"typo in a credential", secret(values{"clientsecret": testSecret}), []string{`did you mean "client_secret"?`}},
		{"typo in tls", secret(values{"tls": values{"ca_fiel": "/c"}}), []string{`did you mean "tls::ca_file"?`}},
		{"typo in tls::tpm", secret(values{"tls": values{"tpm": values{"enabledd": true}}}), []string{`unknown key "tls::tpm::enabledd"`}},
		{"typo in keepalive", secret(values{"keepalive": values{"max_idle_connz": 1}}), []string{`did you mean "keepalive::max_idle_conns"?`}},
		{"typo in auth", values{"endpoint": testEndpoint, "auth": values{"authenticater": "x"}}, []string{`did you mean "auth::authenticator"?`}},
		{"typo in compression_params", secret(values{"compression_params": values{"leval": 1}}), []string{`did you mean "compression_params::level"?`}},
		{"typo in cookies", secret(values{"cookies": values{"enable": true}}), []string{`did you mean "cookies::enabled"?`}},
		{"typo in middlewares", secret(values{"middlewares": []any{values{"di": "x"}}}), []string{`unknown key "middlewares::0::di"`}},
		{"typo in retry_on_failure", secret(values{"retry_on_failure": values{"max_elapse_time": "1s"}}), []string{`did you mean "retry_on_failure::max_elapsed_time"?`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := load(tt.config)
			require.Error(t, err)
			// Not only the package has to refuse it, but also what a user runs.
			said := distribution.Validate(t, metadata.Type.String(), tt.config)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
				require.Contains(t, said, want)
			}
			requireNoSecrets(t, err, pair, other)
			requireNoSecrets(t, errors.New(said), pair, other)
		})
	}
}

func TestTheProgramAcceptsTheConfigThatTheWrongOnesStartFrom(t *testing.T) {
	t.Parallel()
	require.Empty(t, distribution.Validate(t, metadata.Type.String(), explicitConfig()))
}

func TestWrongConfigsAreReportedAllAtOnce(t *testing.T) {
	err := load(with(explicitConfig(), values{"endpoint": testTokenURL, "body": "x", "concurrency": 99, "sweeps": []any{"1m"}}))
	for _, want := range []string{"endpoint is", "body must", "concurrency must", "sweeps must"} {
		require.ErrorContains(t, err, want)
	}
}

func TestExplicitFieldsOfAnyWrongTypeQuoteNothing(t *testing.T) {
	pair := newCertPair(t)
	for _, key := range []string{"client_secret", "client_id", "token_url", "service_key", "client_secret_file"} {
		for _, value := range []any{[]any{"canary"}, 31415926, values{"field": "canary"}} {
			err := load(with(explicitConfig(), values{key: value}))
			require.Error(t, err, key)
			requireNoSecrets(t, err, pair)
			require.NotContains(t, err.Error(), "31415926", key)
		}
	}
}

func requireNoSecrets(t *testing.T, err error, pairs ...certPair) {
	t.Helper()
	texts := []string{err.Error()}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		texts = append(texts, inner.Error())
	}
	for _, text := range texts {
		require.NotContains(t, text, "canary")
		for _, pair := range pairs {
			require.NotContains(t, text, strings.Split(string(pair.cert), "\n")[1])
			require.NotContains(t, text, strings.Split(string(pair.key), "\n")[1])
		}
	}
}
