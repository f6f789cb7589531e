// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

// clients are the HTTP clients of a term. All subaccounts share one for the API and one for tokens by secret, so that many
// of them need few connections; each client certificate has one of its own.
type clients struct {
	*auditReceiver
	host    component.Host
	api     *httpcall.Caller
	secret  *httpcall.Caller
	pair    *pairFiles // nil without a client certificate in the tls section
	sending gate       // passed by every request
	closers []func()   // of what is used to the end of the term
}

func (r *auditReceiver) newClients(ctx context.Context, host component.Host) (*clients, error) {
	c := &clients{auditReceiver: r, host: host, sending: newGate(maxRequests)}
	cfg := r.cfg.ClientConfig
	var err error
	if c.pair, err = newPairFiles(cfg.TLS, r.status, r.logger); err != nil {
		return nil, err
	}
	api, done, err := c.client(ctx, cfg)
	if err != nil {
		return nil, err
	}
	c.closers = append(c.closers, done)
	api.Transport = lending{next: api.Transport, slow: newGate(maxSlowPages)}
	c.api = c.caller(api)
	secret, done, err := c.client(ctx, tokenConfig(cfg))
	if err != nil {
		return nil, err
	}
	c.closers = append(c.closers, done)
	c.secret = c.caller(secret)
	return c, nil
}

// tokenConfig is the client configuration for the token service: the same proxy and CA, but no headers and no authenticator,
// which are meant for the API.
func tokenConfig(cfg confighttp.ClientConfig) confighttp.ClientConfig {
	cfg.Auth = configoptional.None[configauth.Config]()
	cfg.Headers = nil
	return cfg
}

// certificate is the client for tokens by the given certificate, with what gives its connections back; without one, that of
// the tls section.
func (c *clients) certificate(ctx context.Context, cert, key configopaque.String) (*httpcall.Caller, func(), error) {
	if cert == "" {
		return c.secret, func() {}, nil
	}
	cfg := tokenConfig(c.cfg.ClientConfig)
	cfg.TLS.CertPem, cfg.TLS.KeyPem = cert, key
	cfg.TLS.CertFile, cfg.TLS.KeyFile = "", ""
	client, done, err := c.client(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return c.caller(client), done, nil
}

func (c *clients) caller(client *http.Client) *httpcall.Caller {
	return httpcall.New(client, httpcall.WithUserAgent(httpcall.UserAgent(c.cfg.ClientConfig, c.set.BuildInfo)))
}

// client builds a client, which follows the files of its certificate, and returns what gives its connections back.
func (c *clients) client(ctx context.Context, cfg confighttp.ClientConfig) (*http.Client, func(), error) {
	if c.pair != nil && (cfg.TLS.CertFile != "" || cfg.TLS.KeyFile != "") {
		return c.pair.follow(ctx, cfg, c.build)
	}
	return c.build(ctx, cfg)
}

func (c *clients) build(ctx context.Context, cfg confighttp.ClientConfig) (*http.Client, func(), error) {
	client, done, err := httpcall.NewClient(ctx, cfg, c.host, c.set.TelemetrySettings)
	if err != nil {
		return nil, nil, fmt.Errorf("building the HTTP client: %w", err)
	}
	if c.transport != nil {
		client.Transport = c.transport
	}
	client.Transport = bounded{client.Transport, c.sending}
	return client, done, nil
}

// close gives the connections back.
func (c *clients) close() {
	c.status.Set(causeCertificate, nil)
	for _, done := range c.closers {
		done()
	}
}
