// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/json"
	"errors"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/strictconf"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

const serviceKeyName = "service_key"

// Unmarshal decodes the configuration, rejects unknown keys at every level, and
// accepts credentials in the forms in which they are pasted: the service key as
// a map, PEM with escaped line ends, values with the line end of their file.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	err := strictconf.CheckNotEmpty(conf, "endpoint", "token_url", "client_id", "client_secret", "client_secret_file", serviceKeyName)
	if err != nil {
		return err
	}
	if err := joinServiceKey(conf); err != nil {
		return err
	}
	if err := strictconf.Unmarshal(conf, c); err != nil {
		return err
	}
	if conf.IsSet("requests_per_second") && c.RequestsPerSecond == 0 {
		return errRequestsPerSecond
	}
	for _, text := range []*string{&c.ClientConfig.Endpoint, &c.TokenURL, &c.ClientID} {
		*text = strings.TrimRight(*text, "\r\n")
	}
	c.ClientSecret = configopaque.String(strings.TrimRight(string(c.ClientSecret), "\r\n"))
	tls := &c.ClientConfig.TLS
	for _, pem := range []*configopaque.String{&tls.CAPem, &tls.CertPem, &tls.KeyPem} {
		*pem = configopaque.String(servicekey.UnescapePEM(string(*pem)))
	}
	return nil
}

// Marshal encodes the configuration for printing: without the password of the
// proxy, which confighttp keeps as plain text.
func (c Config) Marshal(conf *confmap.Conf) error {
	type printed Config // has no Marshal
	c.ClientConfig.ProxyURL = httpcall.WithoutProxyPassword(c.ClientConfig.ProxyURL)
	return conf.Marshal(printed(c))
}

// joinServiceKey makes one JSON text of a service key written as a map. What
// comes whole from ${env:…} or ${file:…} is a text for the decoder already.
func joinServiceKey(conf *confmap.Conf) error {
	values, ok := xconfmap.ToStringMapRaw(conf)[serviceKeyName].(map[string]any)
	if !ok {
		return nil
	}
	text, err := json.Marshal(asWritten(values))
	if err != nil {
		return errors.New("service_key is a map that cannot be written as JSON")
	}
	conf.Delete(serviceKeyName)
	return conf.Merge(confmap.NewFromStringMap(map[string]any{serviceKeyName: string(text)}))
}

// asWritten replaces what ${…} stood for by its text: a secret of digits must
// not become a number. Nested objects stay text, which the parser accepts.
func asWritten(value any) any {
	switch v := value.(type) {
	case xconfmap.ExpandedValue:
		return v.Original
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, field := range v {
			out[name] = asWritten(field)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, elem := range v {
			out[i] = asWritten(elem)
		}
		return out
	default:
		return value
	}
}
