// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

func TestAllRequestsNameTheDistribution(t *testing.T) {
	for name, tt := range map[string]struct{ set, want string }{
		"by itself":          {"", "otelcol/latest"}, // of the default build info
		"as the headers say": {"acme-audit/1", "acme-audit/1"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{}, func(c *Config) {
					if tt.set != "" {
						c.ClientConfig.Headers.Set("user-agent", configopaque.String(tt.set))
					}
				})
				var mu sync.Mutex
				agents := map[string]map[string]bool{"reads": {}, "tokens": {}}
				note := func(kind string, next http.RoundTripper) http.RoundTripper {
					return roundTripper(func(req *http.Request) (*http.Response, error) {
						mu.Lock()
						agents[kind][req.Header.Get("User-Agent")] = true
						mu.Unlock()
						return next.RoundTrip(req)
					})
				}
				w.network = &network{reads: note("reads", w.network.reads), tokens: note("tokens", w.network.tokens)}
				w.runFor(5 * time.Minute)
				only := map[string]bool{tt.want: true}
				require.Equal(t, map[string]map[string]bool{"reads": only, "tokens": only}, agents)
			})
		})
	}
}
