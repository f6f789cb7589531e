// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
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
	for name, value := range own {
		key[name] = value
	}
	for name, value := range uaa {
		key["uaa"].(map[string]any)[name] = value
	}
	return key
}

// watchedTransport shows each request to a function.
type watchedTransport struct {
	next http.RoundTripper
	see  func(*http.Request)
}

func (w watchedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	w.see(req)
	return w.next.RoundTrip(req)
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
				w.configure = func(c *Config) { withServiceKeys(t, c, changedKey(t, w.sub, tc.own, tc.uaa), changedKey(t, w.sub, nil, nil)) }
				var bearer atomic.Int64
				w.transport = watchedTransport{w.transport, func(req *http.Request) {
					if req.URL.Host == sapbtp.ElsewhereHost && req.Header.Get("Authorization") != "" {
						bearer.Add(1)
					}
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
