// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.uber.org/goleak"
)

func TestConnectionsOfAClientAreClosedWhileTheServerLives(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			protocol := make(chan string, 2)
			s := serveTLS(t, func(s *httptest.Server) {
				s.EnableHTTP2 = http2
				s.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocol <- r.Proto })
			})
			before := goleak.IgnoreCurrent()
			cfg := confighttp.NewDefaultClientConfig()
			cfg.TLS.CAPem = certificatePEM(s.Certificate())
			client, done, err := NewClient(t.Context(), cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
			require.NoError(t, err)
			for range 2 { // it can be used on
				_, err = New(client).Do(t.Context(), op, get(t, s.URL))
				require.NoError(t, err)
				require.Equal(t, name, <-protocol)
				require.Error(t, goleak.Find(before), "the connection is kept for the next request")
				done()
				require.NoError(t, goleak.Find(before))
			}
		})
	}
}

func certificatePEM(c *x509.Certificate) configopaque.String {
	return configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// compression is for request bodies. A token service would not understand its form any more.
func TestRequestsAreNotCompressed(t *testing.T) {
	type request struct{ encoding, body string }
	got := make(chan request, 1)
	s := serveTLS(t, func(s *httptest.Server) {
		s.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got <- request{r.Header.Get("Content-Encoding"), string(body)}
		})
	})
	cfg := confighttp.NewDefaultClientConfig()
	cfg.TLS.CAPem = certificatePEM(s.Certificate())
	cfg.Compression = "gzip"
	client, done, err := NewClient(t.Context(), cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	defer done()
	for _, body := range []string{"", "grant_type=client_credentials"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader(body))
		require.NoError(t, err)
		_, err = New(client).Do(t.Context(), op, req)
		require.NoError(t, err)
		require.Equal(t, request{body: body}, <-got)
	}
}

// extensions is a host.
type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

func TestMiddlewaresOfTheConfigurationAreUsed(t *testing.T) {
	id := component.MustNewID("mine")
	mine := errors.New("mine")
	host := extensions{id: innermost{GetHTTPRoundTripperFunc: func(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
		return func(context.Context, http.RoundTripper) (http.RoundTripper, error) {
			return tripper(func(*http.Request) (*http.Response, error) { return nil, mine }), nil
		}, nil
	}}}
	cfg := confighttp.NewDefaultClientConfig()
	cfg.Middlewares = append(make([]configmiddleware.Config, 0, 9), configmiddleware.Config{ID: id})
	client, _, err := NewClient(t.Context(), cfg, host, componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	_, err = client.Do(get(t, "https://api.example.com"))
	require.ErrorIs(t, err, mine)
	require.Len(t, cfg.Middlewares, 1)
	require.Len(t, host, 1, "the host's extensions stay as they were")
}

func TestRequestsNameTheProgram(t *testing.T) {
	got := make(chan string, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("User-Agent") })
	for _, tt := range []struct {
		info   component.BuildInfo
		header string
		want   string
	}{
		{component.BuildInfo{Command: "otelcol-audit", Version: "0.1.0"}, "", "otelcol-audit/0.1.0"},
		{component.BuildInfo{Command: "otelcol-audit", Version: "0.1.0"}, "acme/2", "acme/2"},
		{component.BuildInfo{Command: "my collector\r\n", Version: "v1/2"}, "", "my-collector--/v1-2"},
		{component.BuildInfo{}, "", "unknown/unknown"},
	} {
		cfg := confighttp.NewDefaultClientConfig()
		if tt.header != "" {
			cfg.Headers.Set("user-agent", configopaque.String(tt.header))
		}
		client, done, err := NewClient(t.Context(), cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
		require.NoError(t, err)
		req := get(t, s.URL)
		_, err = New(client, WithUserAgent(UserAgent(cfg, tt.info))).Do(t.Context(), op, req)
		require.NoError(t, err)
		require.Equal(t, tt.want, <-got)
		require.Empty(t, req.Header, "the caller's request stays as it was")
		done()
	}
}
