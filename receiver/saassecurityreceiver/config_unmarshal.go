// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/strictconf"
)

// Unmarshal decodes the configuration and rejects unknown keys at every level.
// Values that come with the line end of their file lose it.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	err := strictconf.CheckNotEmpty(conf, "endpoint", "token_url", "client_id", "client_secret", "client_secret_file")
	if err != nil {
		return err
	}
	if err := strictconf.Unmarshal(conf, c); err != nil {
		return err
	}
	for _, text := range []*string{&c.ClientConfig.Endpoint, &c.TokenURL, &c.ClientID} {
		*text = strings.TrimRight(*text, "\r\n")
	}
	c.ClientSecret = configopaque.String(strings.TrimRight(string(c.ClientSecret), "\r\n"))
	return nil
}

// Marshal encodes the configuration for printing: without the password of the
// proxy, which confighttp keeps as plain text.
func (c Config) Marshal(conf *confmap.Conf) error {
	type printed Config // has no Marshal
	c.ClientConfig.ProxyURL = httpcall.WithoutProxyPassword(c.ClientConfig.ProxyURL)
	return conf.Marshal(printed(c))
}
