// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// Hosts that only the proxy knows. What goes past it cannot arrive.
const (
	apiBehindProxy   = "api.example.invalid"
	tokenBehindProxy = "tokens.example.invalid"
)

func TestAllRequestsGoThroughTheProxyOfTheConfiguration(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"https", "http"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			w, proxy := behindProxy(t, scheme)
			configure := w.configure
			w.configure = func(c *Config) { configure(c); c.ClientConfig.ProxyURL = proxy.URL }
			_, err := w.startOn(fileStorage(t))
			require.NoError(t, err)
			w.requireEventually(func() bool { return w.sink.total() >= 1000 }, "events come through the proxy")
			require.Equal(t, []string{apiBehindProxy, tokenBehindProxy}, proxy.hosts())
		})
	}
}

func TestAProxyThatFailsIsNamedAndNotPassedBy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*forwarder)
		says  string
	}{
		"down":   {(*forwarder).Close, "the proxy cannot be reached"},
		"denies": {func(p *forwarder) { p.status = http.StatusForbidden }, "NAME answered HTTP 403 that it does not let this connection through"},
		"wants a password": {
			func(p *forwarder) { p.status = http.StatusProxyAuthRequired },
			"NAME answered HTTP 407 that it wants a user and password: put them into proxy_url or HTTPS_PROXY",
		},
		"cannot get further": {func(p *forwarder) { p.status = http.StatusBadGateway }, "NAME answered HTTP 502 that it cannot reach the host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, proxy := behindProxy(t, "https")
			tc.spoil(proxy)
			configure := w.configure
			w.configure = func(c *Config) {
				configure(c)
				c.ClientConfig.ProxyURL = strings.Replace(proxy.URL, "http://", "http://user:canary-password@", 1)
			}
			_, err := w.startOn(fileStorage(t))
			require.NoError(t, err)
			failure := w.requireFailure()
			require.Contains(t, failure, strings.Replace(tc.says, "NAME", "the proxy "+strings.TrimPrefix(proxy.URL, "http://"), 1))
			require.NotContains(t, failure, "canary-password")
			require.Empty(t, w.sim.Ledger().Requests())
		})
	}
}

// environmentMode is set in the process that this test starts, because net/http reads the environment only once.
const environmentMode = "SAP_BTP_AUDIT_TEST_PROXY"

func TestTheProxyAndTheExceptionsOfTheEnvironmentCount(t *testing.T) {
	switch mode := os.Getenv(environmentMode); mode {
	case "proxy", "exception":
		readByEnvironment(t, mode == "exception")
		return
	}
	t.Parallel()
	for _, mode := range []string{"proxy", "exception"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*longWait)
			defer cancel()
			self := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+strings.Split(t.Name(), "/")[0]+"$", "-test.v")
			// The race detector's runtime waits a second at the end of each process unless told not to.
			self.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
				name, _, _ := strings.Cut(v, "=")
				return strings.HasSuffix(strings.ToLower(name), "_proxy")
			}), environmentMode+"="+mode, "GORACE=atexit_sleep_ms=0")
			out, err := self.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), "--- PASS")
		})
	}
}

// readByEnvironment is what happens in a process of its own.
func readByEnvironment(t *testing.T, exception bool) {
	t.Helper()
	w, proxy := behindProxy(t, "https")
	t.Setenv("HTTPS_PROXY", proxy.URL)
	if exception {
		t.Setenv("NO_PROXY", ".example.invalid")
	}
	// No DNS server is asked for names that do not exist.
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no DNS in this test")
	}}
	_, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	if exception {
		require.Contains(t, w.requireFailure(), "cannot be resolved")
		require.Empty(t, proxy.hosts())
		return
	}
	w.requireEventually(func() bool { return w.sink.total() >= 1000 }, "events come through the proxy")
	require.Equal(t, []string{apiBehindProxy, tokenBehindProxy}, proxy.hosts())
}

// behindProxy is a world with 1000 events whose hosts only the proxy knows.
func behindProxy(t *testing.T, scheme string) (*world, *forwarder) {
	t.Helper()
	w := realWorld(t, sapbtp.StartOptions{TLS: scheme == "https"})
	w.sim.Generate(w.sub.Tenant, 1000, time.Now().Add(-time.Minute), time.Now())
	_, address, _ := strings.Cut(w.sub.Endpoint, "://")
	configure := w.configure
	w.configure = func(c *Config) {
		configure(c)
		c.ClientConfig.Endpoint, c.TokenURL = scheme+"://"+apiBehindProxy, scheme+"://"+tokenBehindProxy
		c.ClientConfig.TLS.CAPem = configopaque.String(w.sim.CACertificate())
		c.ClientConfig.TLS.ServerName = "localhost"
		c.ClientConfig.TLS.Insecure = scheme == "http"
	}
	return w, newForwarder(t, address)
}

// requireFailure waits for the line of the log that says why nothing can be read.
func (w *world) requireFailure() string {
	w.t.Helper()
	failures := func() []string {
		var out []string
		for _, line := range w.logs.FilterMessageSnippet("Reading the audit log failed").All() {
			text, _ := line.ContextMap()["error"].(string)
			out = append(out, text)
		}
		return out
	}
	w.requireEventually(func() bool { return len(failures()) > 0 }, "the log says why")
	return failures()[0]
}

// forwarder is an HTTP proxy that leads every host to one address.
type forwarder struct {
	*httptest.Server
	address string
	status  int // answers CONNECT in place of 200

	mu      sync.Mutex
	asked   []string
	tunnels []net.Conn
	ended   bool
}

func (p *forwarder) closeTunnels() {
	for _, conn := range p.tunnels {
		_ = conn.Close()
	}
}

func newForwarder(t *testing.T, address string) *forwarder {
	t.Helper()
	p := &forwarder{address: address, status: http.StatusOK}
	p.Server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.Close() // waits for requests, which take the lock
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ended = true
		p.closeTunnels()
	})
	return p
}

// hosts are the names that were asked for, without repetition.
func (p *forwarder) hosts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(p.asked)))
}

func (p *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	p.mu.Lock()
	p.asked = append(p.asked, host)
	p.mu.Unlock()
	if r.Method == http.MethodConnect {
		p.tunnel(w)
		return
	}
	onward := r.Clone(r.Context())
	onward.RequestURI = ""
	onward.URL.Host = p.address
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(onward)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

func (p *forwarder) tunnel(w http.ResponseWriter) {
	if p.status != http.StatusOK {
		w.WriteHeader(p.status)
		return
	}
	server, err := new(net.Dialer).Dial("tcp", p.address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = server.Close()
		return
	}
	p.mu.Lock()
	p.tunnels = append(p.tunnels, client, server)
	if p.ended {
		p.closeTunnels()
	}
	p.mu.Unlock()
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}
