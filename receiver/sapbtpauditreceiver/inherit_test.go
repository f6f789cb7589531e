// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// tokenGateway has the tokens of a subaccount from a host that is not SAP's, unless it is down.
type tokenGateway struct {
	next http.RoundTripper
	host string // of SAP
	down atomic.Bool
}

const gatewayHost = "gateway.example.com"

func (g *tokenGateway) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != gatewayHost {
		return g.next.RoundTrip(req)
	}
	if g.down.Load() {
		return nil, errDown
	}
	there := req.Clone(req.Context())
	there.URL.Host, there.Host = g.host, g.host
	return g.next.RoundTrip(there)
}

// gatewayWorld is a world with one subaccount, a key that names it, and one that does not and has its tokens from a gateway.
type gatewayWorld struct {
	*world
	gateway        *tokenGateway
	keys           string // of the configuration
	named, unnamed json.RawMessage
}

func newGatewayWorld(t *testing.T) *gatewayWorld {
	t.Helper()
	w := &gatewayWorld{}
	w.world = newWorld(t, sapbtp.Options{Seed: 91}, func(c *Config) {
		c.ClientConfig.Endpoint, c.TokenURL, c.ClientID, c.ClientSecret = "", "", "", ""
		c.ServiceKey = configopaque.String(w.keys)
		c.InitialLookback = time.Hour
		c.Sweeps = []time.Duration{0, 2 * time.Minute}
	})
	w.named = w.sub.ServiceKey(sapbtp.SecretKey)
	var err error
	w.unnamed, err = json.Marshal(map[string]string{
		"url": w.sub.Endpoint, "tokenUrl": "https://" + gatewayHost, "clientID": w.sub.ClientID, "clientSecret": w.sub.ClientSecret,
	})
	require.NoError(t, err)
	w.gateway = &tokenGateway{next: w.transport, host: strings.TrimPrefix(w.sub.TokenURL, "https://")}
	w.transport = w.gateway
	w.sim.Generate(w.sub.Tenant, 600, time.Now().Add(-50*time.Minute), time.Now().Add(5*time.Hour))
	return w
}

// bound is the configuration of keys as an application has them.
func (w *gatewayWorld) bound(keys ...json.RawMessage) string {
	w.t.Helper()
	var bindings []map[string]any
	for _, key := range keys {
		bindings = append(bindings, map[string]any{"name": "audit", "credentials": key})
	}
	text, err := json.Marshal(map[string]any{"auditlog-management": bindings})
	require.NoError(w.t, err)
	return string(text)
}

// follow does what the watcher of key files does with keys.
func (w *gatewayWorld) follow(r *auditReceiver, keys ...json.RawMessage) (done bool) {
	w.t.Helper()
	parsed, err := servicekey.Parse([]byte(w.bound(keys...)))
	require.NoError(w.t, err)
	r.term.names.survey(parsed)
	return r.term.follow(keyfiles.Snapshot{Sources: grouped(parsed, r.term.names.of)})
}

// A key that never had a token has time unread that is older than anything the subaccount that it turns out to be of was ever asked for.
func TestWhatAKeyHasLeftUnreadIsReadByTheSubaccountItJoins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newGatewayWorld(t)
		w.gateway.down.Store(true)
		w.keys = w.bound(w.unnamed)
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(3 * time.Hour)
		w.follow(r, w.unnamed, w.named)
		require.Len(t, r.list(), 2)
		time.Sleep(time.Hour)
		require.NotEmpty(t, w.sim.Ledger().Missing(w.sink.delivered(), sapbtp.VisibleBy(time.Now().Add(-2*time.Minute))), "nobody has asked for it")

		w.gateway.down.Store(false)
		time.Sleep(10 * time.Minute) // in which a token tells
		w.follow(r, w.unnamed, w.named)
		time.Sleep(time.Minute)
		require.True(t, w.follow(r, w.unnamed, w.named))
		require.Len(t, r.list(), 1)
		time.Sleep(2 * time.Hour)
		require.Len(t, w.logs.FilterMessageSnippet("has left time unread").All(), 1)
		require.NoError(t, r.Shutdown(t.Context()))
		w.requireExactlyOnce()
		w.keys = w.bound(w.unnamed, w.named)
		w.runFor(time.Hour)
		w.requireExactlyOnce()
	})
}

// Whatever write is the last one of a life, from the token that tells whose the key is until all is handed over.
func TestACrashWhileAKeyJoinsItsSubaccountLosesNothing(t *testing.T) {
	const most = 40
	forEachStorage(t, func(t *testing.T, options ...crashtest.Option) {
		crashes := 0
		for k := range most {
			virtually(t, func(t *testing.T) {
				w := newGatewayWorld(t)
				w.gateway.down.Store(true)
				w.keys = w.bound(w.unnamed)
				w.runFor(3 * time.Hour)
				w.gateway.down.Store(false)
				w.keys = w.bound(w.unnamed, w.named)
				for _, limit := range []int{k, k / 2} { // the second begins with what the first has learned
					if w.life(append(options, crashtest.CrashAfter(limit))...) {
						crashes++
					}
				}
				w.life(options...)
				time.Sleep(3 * time.Hour)
				w.life(options...)
				w.requireComplete()
				w.requireNoDuplicates(2 * pageRecords)
			})
		}
		require.Greater(t, crashes, most)
	})
}

func TestDamageOfWhatAKeyHasReadIsNoReasonToReadLess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newGatewayWorld(t)
		w.sim.Generate(w.sub.Tenant, 200, time.Now().Add(-20*24*time.Hour), time.Now().Add(-time.Hour))
		w.gateway.down.Store(true)
		w.keys = w.bound(w.unnamed)
		w.runFor(time.Minute)
		w.disk.Flip(t, gatewayHost+"/progress/1", 40)
		storage := w.disk.Client()
		names := newNames(storage, w.logger)
		parsed, err := servicekey.Parse(w.unnamed)
		require.NoError(t, err)
		names.learn(t.Context(), parsed[0], w.sub.Tenant)
		w.gateway.down.Store(false)
		w.keys = w.bound(w.named, w.unnamed)
		w.runFor(6 * time.Hour)
		require.Len(t, w.logs.FilterMessageSnippet("has left time unread").All(), 1)
		w.requireExactlyOnce()
	})
}

// A release that noted no beginning may have left states behind that say nothing about what others have read since.
func TestAStateOfAnEarlierReleaseIsNotReadASecondTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newGatewayWorld(t)
		storage := w.disk.Client()
		store := progressStore{client: storage, prefix: gatewayHost + "/"}
		op, err := store.operation(sweep.New([]time.Duration{0}, time.Now().Add(-30*24*time.Hour).Unix()))
		require.NoError(t, err)
		require.NoError(t, storage.Batch(t.Context(), op))
		w.sim.Generate(w.sub.Tenant, 50, time.Now().Add(-20*24*time.Hour), time.Now().Add(-2*time.Hour))
		parsed, err := servicekey.Parse(w.unnamed)
		require.NoError(t, err)
		names := newNames(storage, w.logger)
		names.survey(parsed)
		names.learn(t.Context(), parsed[0], w.sub.Tenant)

		w.keys = w.bound(w.named, w.unnamed)
		w.runFor(time.Hour)
		require.Empty(t, w.logs.FilterMessageSnippet("has left time unread").All())
	})
}
