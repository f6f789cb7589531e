// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// NewClient is cfg.ToClient, with a function that closes the connections which are not in use, and those that are as soon
// as they are not. CloseIdleConnections of the client itself does nothing: what ToClient wraps around the transport for
// telemetry does not pass it on.
//
// Request bodies stay as they are, whatever cfg.Compression says: the only ones are forms for token services, which do not
// understand compressed ones, and a GET would be given a body.
func NewClient(ctx context.Context, cfg confighttp.ClientConfig, host component.Host, set component.TelemetrySettings) (*http.Client, func(), error) {
	cfg.Compression = ""
	var inner http.Client
	extensions := maps.Clone(host.GetExtensions())
	if extensions == nil {
		extensions = map[component.ID]component.Component{}
	}
	extensions[innermostID] = innermost{GetHTTPRoundTripperFunc: func(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
		return func(_ context.Context, transport http.RoundTripper) (http.RoundTripper, error) {
			inner.Transport = transport
			keepConnectStatus(transport)
			return transport, nil
		}, nil
	}}
	// The last one is the first to be put around the transport.
	cfg.Middlewares = append(slices.Clone(cfg.Middlewares), configmiddleware.Config{ID: innermostID})
	client, err := cfg.ToClient(ctx, extensions, set)
	if err != nil {
		return nil, nil, err
	}
	return client, inner.CloseIdleConnections, nil
}

// UserAgent returns how requests name the program, such as "otelcol-audit/0.1.0": as cfg.Headers say, or else by name and
// version of the distribution. See WithUserAgent.
func UserAgent(cfg confighttp.ClientConfig, info component.BuildInfo) string {
	for name, value := range cfg.Headers.Iter {
		if strings.EqualFold(name, "User-Agent") {
			return string(value)
		}
	}
	return product(info.Command) + "/" + product(info.Version)
}

// product leaves of a name or version what a product may have (RFC 9110, 10.1.5 and 5.6.2), and stands in for an empty one.
func product(text string) string {
	text = strings.Map(func(r rune) rune {
		if r > '~' || r <= ' ' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) {
			return '-'
		}
		return r
	}, text)
	return cmp.Or(text, "unknown")
}

var innermostID = component.MustNewIDWithName("httpcall", "innermost")

// innermost is a middleware, the only one that sees the transport that ToClient makes.
type innermost struct {
	component.StartFunc
	component.ShutdownFunc
	extensionmiddleware.GetHTTPRoundTripperFunc
}
