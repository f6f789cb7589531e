// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

func TestAllRequestsNameTheDistribution(t *testing.T) {
	for name, tt := range map[string]struct{ set, want string }{
		"by itself":          {"", "otelcol/latest"}, // of the default build info
		"as the headers say": {"acme-audit/1", "acme-audit/1"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{}, func(c *Config) {
					if tt.set != "" {
						c.ClientConfig.Headers.Set("user-agent", configopaque.String(tt.set))
					}
				})
				var mu sync.Mutex
				agents := map[string]map[string]bool{}
				network := w.transport
				w.transport = tripper(func(req *http.Request) (*http.Response, error) {
					mu.Lock()
					defer mu.Unlock()
					kind := "records"
					if strings.Contains(req.URL.Path, "token") {
						kind = "tokens"
					}
					if agents[kind] == nil {
						agents[kind] = map[string]bool{}
					}
					agents[kind][req.Header.Get("User-Agent")] = true
					return network.RoundTrip(req)
				})
				w.runFor(5 * time.Minute)
				only := map[string]bool{tt.want: true}
				require.Equal(t, map[string]map[string]bool{"records": only, "tokens": only}, agents)
			})
		})
	}
}
