// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
)

// withServiceKeys makes a configuration read the given keys, tried in this order.
func withServiceKeys(t *testing.T, c *Config, keys ...values) {
	t.Helper()
	var bindings []values
	for _, key := range keys {
		bindings = append(bindings, values{"credentials": key})
	}
	c.ClientConfig.Endpoint, c.TokenURL, c.ClientID, c.ClientSecret = "", "", "", ""
	c.ServiceKey = configopaque.String(toJSON(t, values{"auditlog-management": bindings}))
}

// changedKey is the service key of a subaccount, changed in fields of its own and of uaa.
func changedKey(t *testing.T, sub sapbtp.Subaccount, own, uaa values) values {
	t.Helper()
	var key values
	require.NoError(t, json.Unmarshal(sub.ServiceKey(sapbtp.SecretKey), &key))
	maps.Copy(key, own)
	maps.Copy(key["uaa"].(map[string]any), uaa)
	return key
}

// A token and the host that it goes to are of the same key, so neither does a wrong key stop a good one nor get its token.
func TestAWrongKeyNeitherStopsAGoodOneNorGetsItsToken(t *testing.T) {
	for name, tc := range map[string]struct{ own, uaa values }{
		"wrong secret and another's url": {values{"url": "https://" + sapbtp.ElsewhereHost}, values{"clientsecret": "wrong"}},
		"url that does not resolve":      {values{"url": "https://typo.example.com"}, nil},
		"token host that is another's":   {nil, values{"url": "https://typo.example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 91})
				w.configure = func(c *Config) {
					withServiceKeys(t, c, changedKey(t, w.sub, tc.own, tc.uaa), changedKey(t, w.sub, nil, nil))
				}
				var bearer atomic.Int64
				w.transport = answering{w.transport, func(req *http.Request) (int, string) {
					if req.URL.Host == sapbtp.ElsewhereHost && req.Header.Get("Authorization") != "" {
						bearer.Add(1)
					}
					return 0, ""
				}}
				w.sim.Generate(w.sub.Tenant, 1000, time.Now().Add(-6*time.Hour), time.Now())
				w.runFor(30 * time.Minute)
				require.Zero(t, bearer.Load(), "requests with a token at the other key's host")
				w.requireExactlyOnce()
				require.Empty(t, w.sim.Ledger().Leaks())
				require.Len(t, w.logs.FilterMessageSnippet("does not work; another one is used").All(), 1)
			})
		})
	}
}

// A key of another landscape or service gets tokens that the API refuses.
func TestACredentialWhoseTokensTheAPIRefusesMakesWay(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 92})
				alien := changedKey(t, w.sub, nil, values{"url": "https://alien.example.com"})
				w.configure = func(c *Config) { withServiceKeys(t, c, alien, changedKey(t, w.sub, nil, nil)) }
				var refusals atomic.Int64
				w.transport = answering{w.transport, func(req *http.Request) (int, string) {
					switch {
					case req.URL.Host == "alien.example.com":
						return http.StatusOK, `{"access_token":"alien","expires_in":3600}`
					case req.Header.Get("Authorization") == "Bearer alien":
						refusals.Add(1)
						return status, `{}`
					}
					return 0, ""
				}}
				w.sim.Generate(w.sub.Tenant, 1000, time.Now().Add(-6*time.Hour), time.Now())
				w.runFor(30 * time.Minute)
				w.requireExactlyOnce()
				require.Positive(t, refusals.Load())
				require.Less(t, refusals.Load(), int64(10), "it is not tried again while another one works")
			})
		})
	}
}

func TestKeysAreLookedAtAgainWhenTheAPIRefusesEveryCredential(t *testing.T) {
	rechecks := 0
	s := &subaccount{recheck: func() { rechecks++ }, logger: zap.NewNop()}
	asked := []string{}
	refused := func(name string) *credential {
		return &credential{path: name, api: pagerFunc(func() error {
			asked = append(asked, name)
			return &httpcall.Error{Op: "reading", What: "not authenticated", Kind: httpcall.KindUnauthorized}
		})}
	}
	alone := newRotation(s, []*credential{refused("alone.json")})
	_, err := alone.Page(t.Context(), auditlog.Query{})
	require.EqualError(t, err, "reading: not authenticated")
	require.Equal(t, 1, rechecks)

	asked = nil
	both := newRotation(s, []*credential{refused("a.json"), refused("b.json")})
	for range 2 {
		_, err = both.Page(t.Context(), auditlog.Query{})
		require.EqualError(t, err, "service key a.json: reading: not authenticated\nservice key b.json: reading: not authenticated")
		require.Equal(t, httpcall.KindUnauthorized, httpcall.KindOf(err))
	}
	require.Equal(t, []string{"a.json", "b.json", "a.json", "b.json"}, asked)
	require.Equal(t, 3, rechecks)
}

// The simulator refuses a certificate as SAP's load balancer does, by a reset, which TLS 1.3 shows after the handshake.
func TestACertificateThatTheServerResetsMakesWay(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 1)
	alien := sapbtp.New(sapbtp.Options{Seed: 71}).IssueClientCert(w.sub.Tenant, 48*time.Hour) // tried first, as it lasts longer
	w.key("alien.json", w.sub.ServiceKeyWith(alien))
	_, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	require.Contains(t, w.requireFailure(), "probably refuses the client certificate")
	w.key("good.json", w.sub.ServiceKey(sapbtp.X509Key))
	w.caughtUp("by the second of two certificates", 0)
	w.finish(0)
}

// pagerFunc answers for the API with an error.
type pagerFunc func() error

func (f pagerFunc) Page(context.Context, auditlog.Query) (*auditlog.Page, error) { return nil, f() }

// answering answers some requests itself: those for which there is a status.
type answering struct {
	next   http.RoundTripper
	answer func(*http.Request) (status int, body string)
}

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	if status, body := a.answer(req); status != 0 {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
	}
	return a.next.RoundTrip(req)
}
