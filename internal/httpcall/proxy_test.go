// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
)

// proxied returns a Caller whose requests go through the proxy.
func proxied(t *testing.T, proxyURL string) *Caller {
	t.Helper()
	cfg := confighttp.NewDefaultClientConfig()
	cfg.ProxyURL = proxyURL
	client, done, err := NewClient(t.Context(), cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	t.Cleanup(done)
	return New(client)
}

func TestNamesTheProxyAndWhatItAnswers(t *testing.T) {
	const host = "api.example.invalid"
	for _, tt := range []struct {
		scheme string
		status int
		kind   Kind
		want   string
	}{
		{"https", 407, KindNetwork, "the proxy @ answered HTTP 407 that it wants a user and password: put them into proxy_url or HTTPS_PROXY"},
		{"https", 403, KindNetwork, "the proxy @ answered HTTP 403 that it does not let this connection through: have the host and its port allowed there"},
		{"https", 502, KindNetwork, "the proxy @ answered HTTP 502 that it cannot reach the host: check the host in the configured address"},
		{"https", 503, KindNetwork, "the proxy @ answered HTTP 503 that it cannot reach the host"},
		{"https", 418, KindNetwork, "the proxy @ answered HTTP 418 and opened no connection: check proxy_url or HTTPS_PROXY"},
		{"https", 302, KindNetwork, "the proxy @ answered HTTP 302 and opened no connection"},
		{"http", 407, KindNetwork, "the proxy @ answered that it wants a user and password (HTTP 407): put them into proxy_url or HTTPS_PROXY"},
		{"http", 403, KindForbidden, "not permitted (HTTP 403)"},
	} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, tt.scheme == "https", r.Method == http.MethodConnect)
			w.Header().Set("Proxy-Authenticate", "Basic realm=canary")
			http.Error(w, "canary", tt.status)
		})
		address := server.Listener.Addr().String()
		resp, err := proxied(t, "http://canary-user:canary-password@"+address).Do(t.Context(), op, get(t, tt.scheme+"://"+host+"/canary"))
		require.Nil(t, resp)
		require.Equal(t, tt.kind, KindOf(err), "%v", err)
		require.ErrorContains(t, err, op+": "+host+": "+strings.Replace(tt.want, "@", address, 1))
		require.NotContains(t, err.Error(), "canary")
	}
}

func TestNamesTheProxyThatCannotBeReached(t *testing.T) {
	closed := serve(t, func(http.ResponseWriter, *http.Request) {})
	closed.Close()
	address := closed.Listener.Addr().String()
	refusing := listenOnce(t, "\x05\xff") // no method of authentication is good enough
	for name, tt := range map[string]struct{ proxy, want string }{
		"closed":     {"http://canary:canary@" + address, "the proxy cannot be reached at " + address + ": connection refused: check proxy_url"},
		"no name":    {"http://canary:canary@proxy.invalid:3128", "the proxy cannot be reached at proxy.invalid:3128: its name cannot be resolved: check proxy_url"},
		"SOCKS":      {"socks5://canary:canary@" + refusing, "the SOCKS proxy " + refusing + " did not open the connection: check the user and password in proxy_url"},
		"closed TLS": {"https://canary:canary@" + address, "the proxy cannot be reached at " + address + ": connection refused: check proxy_url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := proxied(t, tt.proxy).Do(t.Context(), op, get(t, "https://api.example.invalid"))
			require.Equal(t, KindNetwork, KindOf(err), "%v", err)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

func TestTellsTheProxyFromTheServer(t *testing.T) {
	for _, tt := range []struct{ asked, url, want string }{
		{"proxy:3128", "https://api.example.com/x", "proxy:3128"},
		{"api.example.com:443", "https://API.example.com/x", ""},
		{"api.example.com:80", "http://api.example.com", ""},
		{"[::1]:8080", "http://[::1]:8080", ""},
		{"xn--bcher-kva.example:443", "https://bücher.example", ""},
		{"", "https://api.example.com", ""},
	} {
		u, err := url.Parse(tt.url)
		require.NoError(t, err)
		require.Equal(t, tt.want, proxyOf(tt.asked, u), tt.url)
	}
}

// listenOnce answers the first bytes of each connection with reply and closes it.
func listenOnce(t *testing.T, reply string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 64))
			_, _ = io.WriteString(conn, reply)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	return listener.Addr().String()
}

func TestCleansTheDescriptionOfARefusal(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"x","error_description":"Bad credentials"}`:                        "Bad credentials",
		`{"error_description":" two\n\tlines\u0000\u001b[31m "}`:                     "two lines [31m",
		`{"error_description":"a\u202eb\u200bc\ufeffd\u2028e"}`:                      "a b c d e",
		`{"error_description":"Größe 5"}`:                                            "Größe 5",
		"{\"error_description\":\"bro\xffken\"}":                                     "bro ken",
		`{"error_description":"` + strings.Repeat("ab ", 200) + `"}`:                 strings.Repeat("ab ", 66) + "a…",
		`{"error_description":5}`:                                                    "",
		`{"error_description":""}`:                                                   "",
		`not JSON`:                                                                   "",
		`{"error":"x"}`:                                                              "",
		`{"error_description":"expired: eyJhbGciOiJub25lIn0.e30."}`:                  "",
		`{"error_description":"-----BEGIN CERTIFICATE-----"}`:                        "",
		`{"error_description":"key ` + strings.Repeat("Zm9v", 12) + `"}`:             "",
		`{"error_description":"client echo-of-header is unknown"}`:                   "",
		`{"error_description":"No client with requested id: sb-5f0c!b7|audit!b1"}`:   "No client with requested id: sb-5f0c!b7|audit!b1",
		`{"error_description":"see https://acme.authentication.eu10.example.com/x"}`: "see https://acme.authentication.eu10.example.com/x",
	} {
		req := get(t, "https://api.example.com")
		req.Header.Set("X-Key", "echo-of-header")
		caller := New(&http.Client{Transport: canned(401, body)})
		_, err := caller.With(WithDescription()).Do(t.Context(), op, req)
		require.Equal(t, want, asError(t, err).Description, body)
		_, err = caller.Do(t.Context(), op, req)
		require.Empty(t, asError(t, err).Description, "unless asked for")
	}
}
