// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func serveTLS(t *testing.T, setup func(*httptest.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are the point of the test
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	setup(s)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestNeverFollowsARedirectToAnotherHost(t *testing.T) {
	visited := false
	other := serve(t, func(http.ResponseWriter, *http.Request) { visited = true })
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader("secret"))
		require.NoError(t, err)
		resp, err := New(s.Client()).Do(t.Context(), op, req)
		require.Nil(t, resp)
		require.Equal(t, KindRedirect, KindOf(err))
	}
	require.False(t, visited)
}

func TestKeepsWhatCameOfATruncatedBody(t *testing.T) {
	for name, begin := range map[string]string{
		"with length": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,2,",
		"chunked":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { hijack(w, begin) })
			resp, err := New(s.Client()).Do(t.Context(), op, get(t, s.URL))
			require.Equal(t, KindBrokenBody, KindOf(err))
			require.Equal(t, "[1,2,", string(resp.Body))
		})
	}
}

func TestExplainsRepliesThatAreNotHTTP(t *testing.T) {
	for name, reply := range map[string]string{
		"another protocol": "220 mail.example.com ESMTP\r\n",
		"bad header":       "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
		"bad length":       "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n",
		"long header":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70_000) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { hijack(w, reply) })
			client := s.Client()
			client.Transport.(*http.Transport).MaxResponseHeaderBytes = 60_000
			_, err := New(client).Do(t.Context(), op, get(t, s.URL))
			require.Equal(t, KindProtocol, KindOf(err), "%v", err)
		})
	}
}

func TestLimitsWhatACompressedBodySwellsTo(t *testing.T) {
	var bomb bytes.Buffer
	zw := gzip.NewWriter(&bomb)
	for range 4 {
		_, err := zw.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, zw.Close())
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	resp, err := New(s.Client(), WithMaxBody(1<<20)).Do(t.Context(), op, get(t, s.URL))
	require.Equal(t, KindTooLarge, KindOf(err))
	require.Len(t, resp.Body, 1<<20)

	resp, err = New(s.Client(), WithMaxBody(4<<20)).Do(t.Context(), op, get(t, s.URL))
	require.NoError(t, err)
	require.Len(t, resp.Body, 4<<20)
}

func TestReportsDamagedCompression(t *testing.T) {
	for _, body := range []string{"not gzip at all", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01\x05"} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte(body))
		})
		resp, err := New(s.Client()).Do(t.Context(), op, get(t, s.URL))
		require.Equal(t, KindBrokenBody, KindOf(err))
		require.NotNil(t, resp)
	}
}

func TestExplainsMissingConnections(t *testing.T) {
	closed := serve(t, func(http.ResponseWriter, *http.Request) {})
	closed.Close()
	cutting := serve(t, func(w http.ResponseWriter, _ *http.Request) { hijack(w, "") })
	unresolved := &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "api.example.invalid", IsNotFound: true}}
	})}
	proxied := &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: io.EOF}}
	})}
	for name, tt := range map[string]struct {
		client *http.Client
		url    string
		want   string
	}{
		"refused":    {closed.Client(), closed.URL, "connection refused"},
		"cut":        {cutting.Client(), cutting.URL, "closed the connection without a reply"},
		"unresolved": {unresolved, "https://api.example.invalid", `"api.example.invalid" cannot be resolved: check the host name`},
		"proxy":      {proxied, "https://a", "the proxy cannot be reached: the server closed the connection without a reply: check proxy_url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(tt.client).Do(t.Context(), op, get(t, tt.url))
			require.Equal(t, KindNetwork, KindOf(err))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestExplainsTLSFailures(t *testing.T) {
	plain := serveTLS(t, func(*httptest.Server) {})
	resetting := serveTLS(t, func(s *httptest.Server) {
		s.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			_ = hello.Conn.(*net.TCPConn).SetLinger(0)
			_ = hello.Conn.Close()
			return nil, io.EOF
		}
	})
	demanding := func(version uint16) *httptest.Server {
		return serveTLS(t, func(s *httptest.Server) {
			s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			s.TLS.MinVersion, s.TLS.MaxVersion = version, version
		})
	}
	demanding12, demanding13 := demanding(tls.VersionTLS12), demanding(tls.VersionTLS13)
	noTLS := serve(t, func(http.ResponseWriter, *http.Request) {})

	for name, tt := range map[string]struct {
		server *httptest.Server
		url    string
		setup  func(*tls.Config)
		want   string
	}{
		"unknown authority": {plain, plain.URL, func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }, "unknown authority: set tls.ca_file"},
		"other host":        {plain, plain.URL, func(c *tls.Config) { c.ServerName = "other.example.org" }, "for another host"},
		"expired": {
			plain, plain.URL,
			func(c *tls.Config) { c.Time = func() time.Time { return time.Now().AddDate(200, 0, 0) } },
			"has expired or is not yet valid: check this machine's clock",
		},
		"old version":                 {plain, plain.URL, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11; c.MinVersion = tls.VersionTLS10 }, "TLS versions"},
		"reset in the handshake":      {resetting, resetting.URL, nil, "the server may want a client certificate"},
		"no client certificate, 1.2":  {demanding12, demanding12.URL, nil, "client certificate"},
		"no client certificate, 1.3":  {demanding13, demanding13.URL, nil, "requires a client certificate: set tls.cert_file"},
		"bad client certificate, 1.3": {demanding13, demanding13.URL, withCertificate(t), "authority that signed the client certificate"},
		"unreadable key pair": {demanding13, demanding13.URL, func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, io.ErrNoProgress }
		}, "the client certificate and key can be read"},
		"no TLS on this port": {noTLS, "https" + strings.TrimPrefix(noTLS.URL, "http"), nil, "does not speak TLS on this port"},
	} {
		t.Run(name, func(t *testing.T) {
			transport := tt.server.Client().Transport.(*http.Transport).Clone()
			t.Cleanup(transport.CloseIdleConnections)
			if transport.TLSClientConfig == nil {
				transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
			}
			if tt.setup != nil {
				tt.setup(transport.TLSClientConfig)
			}
			_, err := New(&http.Client{Transport: transport}).Do(t.Context(), op, get(t, tt.url))
			require.Equal(t, KindTLS, KindOf(err), "%v", err)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// Some servers refuse a client certificate by cutting the connection. With TLS 1.3 that comes after the handshake, and is
// told from a connection that breaks at another time.
func TestTellsANewConnectionThatIsCutWithoutAnAnswer(t *testing.T) {
	refusing := func(http2 bool) *httptest.Server {
		return serveTLS(t, func(s *httptest.Server) {
			s.EnableHTTP2 = http2
			s.TLS.ClientAuth, s.TLS.MinVersion = tls.RequestClientCert, tls.VersionTLS13
			s.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				config := s.TLS.Clone()
				config.GetConfigForClient = nil
				config.VerifyConnection = func(tls.ConnectionState) error {
					_ = hello.Conn.(*net.TCPConn).SetLinger(0)
					_ = hello.Conn.Close()
					return io.EOF
				}
				return config, nil
			}
		})
	}
	cutting := func(from int64) *httptest.Server {
		var requests atomic.Int64
		return serveTLS(t, func(s *httptest.Server) {
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) >= from {
					hijack(w, "")
				}
			})
		})
	}
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) { hijack(w, "") })
	for _, tt := range []struct {
		name   string
		server *httptest.Server
		calls  int
		want   bool
	}{
		{"reset after the handshake", refusing(false), 1, true},
		{"reset after the handshake, HTTP/2", refusing(true), 1, true},
		{"cut in place of an answer", cutting(1), 1, true},
		{"cut when it had been in use", cutting(2), 2, false},
		{"without TLS", plain, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := New(tt.server.Client())
			var err error
			for range tt.calls {
				var req *http.Request
				req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, tt.server.URL, strings.NewReader("x"))
				require.NoError(t, err)
				_, err = c.Do(t.Context(), op, req)
			}
			var e *Error
			require.ErrorAs(t, err, &e)
			if tt.want && e.Kind == KindTLS {
				return // the cut was so early that it showed in the handshake
			}
			require.Equal(t, KindNetwork, e.Kind)
			require.Equal(t, tt.want, e.Unanswered, "%v", err)
		})
	}
}

// withCertificate gives the client a self-signed certificate that no server knows.
func withCertificate(t *testing.T) func(*tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return func(c *tls.Config) {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
}

// hijack sends raw bytes as the reply and closes the connection.
func hijack(w http.ResponseWriter, raw string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte(raw))
	_ = conn.Close()
}
