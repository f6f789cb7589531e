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
	host   component.Host
	api    *httpcall.Caller
	secret *httpcall.Caller
	pair   *pairFiles // nil without a client certificate in the tls section
	all    []*http.Client
}

func (r *auditReceiver) newClients(ctx context.Context, host component.Host) (*clients, error) {
	c := &clients{auditReceiver: r, host: host}
	cfg := r.cfg.ClientConfig
	var err error
	if c.pair, err = newPairFiles(cfg.TLS, r.status, r.logger); err != nil {
		return nil, err
	}
	api, err := c.client(ctx, cfg)
	if err != nil {
		return nil, err
	}
	api.Transport = lending{next: api.Transport, slow: newGate(maxSlowPages)}
	c.api = c.keep(api)
	secret, err := c.client(ctx, tokenConfig(cfg))
	if err != nil {
		return nil, err
	}
	c.secret = c.keep(secret)
	return c, nil
}

// tokenConfig is the client configuration for the token service: the same proxy and CA, but no headers and no authenticator,
// which are meant for the API.
func tokenConfig(cfg confighttp.ClientConfig) confighttp.ClientConfig {
	cfg.Auth = configoptional.None[configauth.Config]()
	cfg.Headers = nil
	return cfg
}

// certificate is the client for tokens by the given certificate; without one, that of the tls section.
func (c *clients) certificate(ctx context.Context, cert, key configopaque.String) (*httpcall.Caller, func(), error) {
	if cert == "" {
		return c.secret, func() {}, nil
	}
	cfg := tokenConfig(c.cfg.ClientConfig)
	cfg.TLS.CertPem, cfg.TLS.KeyPem = cert, key
	cfg.TLS.CertFile, cfg.TLS.KeyFile = "", ""
	client, err := c.client(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return httpcall.New(client), client.CloseIdleConnections, nil
}

// keep makes a caller of a client that is used to the end of the term.
func (c *clients) keep(client *http.Client) *httpcall.Caller {
	c.all = append(c.all, client)
	return httpcall.New(client)
}

// client builds a client, which follows the files of its certificate.
func (c *clients) client(ctx context.Context, cfg confighttp.ClientConfig) (*http.Client, error) {
	if c.pair != nil && (cfg.TLS.CertFile != "" || cfg.TLS.KeyFile != "") {
		return c.pair.follow(ctx, cfg, c.build)
	}
	return c.build(ctx, cfg)
}

func (c *clients) build(ctx context.Context, cfg confighttp.ClientConfig) (*http.Client, error) {
	client, err := cfg.ToClient(ctx, c.host.GetExtensions(), c.set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("building the HTTP client: %w", err)
	}
	if c.transport != nil {
		client.Transport = c.transport
	}
	return client, nil
}

// close gives the connections back.
func (c *clients) close() {
	c.status.Set(causeCertificate, nil)
	for _, client := range c.all {
		client.CloseIdleConnections()
	}
}
