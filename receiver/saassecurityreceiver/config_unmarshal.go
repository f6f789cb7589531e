// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/strictconf"
)

// Unmarshal decodes the configuration and rejects unknown keys at every level.
// Values that come with the line end of their file lose it.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := checkNotEmpty(conf); err != nil {
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

// checkNotEmpty rejects credentials that are given but empty. It is done here
// since afterwards they look like credentials that were not given, and the
// usual cause, an environment variable that is not set, would stay in the dark.
func checkNotEmpty(conf *confmap.Conf) error {
	values := xconfmap.ToStringMapRaw(conf)
	var errs []error
	for _, name := range []string{"endpoint", "token_url", "client_id", "client_secret", "client_secret_file"} {
		text, isText := values[name].(string)
		if expanded, ok := values[name].(xconfmap.ExpandedValue); ok {
			text, isText = expanded.Original, true
		}
		if isText && strings.TrimSpace(text) == "" {
			errs = append(errs, fmt.Errorf("%s is empty: is the environment variable or the file behind it set? "+
				"Remove the key if it is not to be used", name))
		}
	}
	return errors.Join(errs...)
}
