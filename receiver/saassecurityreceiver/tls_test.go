// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// HTTP/2 shares a connection between requests and repeats those that the server did not finish. A server that offers it must not
// get a read that way.
func TestReadsHaveAConnectionEachWhereHTTP2IsOffered(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"defaults":          func(*Config) {},
		"HTTP/2 asked for":  func(cfg *Config) { cfg.ClientConfig.ForceAttemptHTTP2 = true },
		"HTTP/2 kept alive": func(cfg *Config) { cfg.ClientConfig.HTTP2ReadIdleTimeout = time.Second },
		"many idle connections": func(cfg *Config) {
			cfg.ClientConfig.ForceAttemptHTTP2 = true
			cfg.ClientConfig.MaxConnsPerHost = 2
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, saassecurity.Options{})
			var mu sync.Mutex
			protocols := map[string]int{}
			reads := map[string]int{} // by connection
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				mu.Lock()
				if strings.HasPrefix(r.URL.Path, pathSingle) {
					protocols["reads over "+r.Proto]++
					reads[r.RemoteAddr]++
				} else {
					protocols["others over "+r.Proto]++
				}
				mu.Unlock()
				w.sim.ServeHTTP(rw, r)
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			w.network = nil
			w.configure = []func(*Config){func(cfg *Config) {
				cfg.ClientConfig.Endpoint = server.URL
				cfg.ClientConfig.TLS.CAPem = configopaque.String(ca)
				cfg.PollInterval = 10 * time.Millisecond
			}, change}
			w.sim.Enqueue(1500)
			l := w.mustStart()
			require.Eventually(t, func() bool { return w.sink.events() == 1500 }, patience, 10*time.Millisecond)
			l.stop(t)
			w.requireDelivered(upTo(1500))
			w.requireAccounted()
			mu.Lock()
			defer mu.Unlock()
			total := protocols["reads over HTTP/1.1"]
			require.Equal(t, map[string]int{"others over HTTP/2.0": 1, "reads over HTTP/1.1": total}, protocols)
			require.Len(t, reads, total, "a connection for each")
		})
	}
}
