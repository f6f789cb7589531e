// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// followWorld is a world in virtual time whose receiver reads the first subaccount, and then what follow is told.
type followWorld struct {
	*world
	host    *statusHost
	clients *middleware
	r       *auditReceiver
}

// middleware is an extension that every HTTP client needs, and that serves so many.
type middleware struct {
	component.StartFunc
	component.ShutdownFunc
	clients atomic.Int64
}

// plenty is more clients than any test makes.
const plenty = 1000

var middlewareID = component.MustNewID("middleware")

func (m *middleware) GetHTTPRoundTripper(context.Context) (func(context.Context, http.RoundTripper) (http.RoundTripper, error), error) {
	if m.clients.Add(-1) < 0 {
		return nil, errDown
	}
	return func(_ context.Context, base http.RoundTripper) (http.RoundTripper, error) { return base, nil }, nil
}

func newFollowWorld(t *testing.T, subaccounts int) *followWorld {
	t.Helper()
	w := &followWorld{clients: &middleware{}}
	w.clients.clients.Store(plenty)
	w.world = newWorld(t, sapbtp.Options{Seed: 75, Subaccounts: subaccounts}, func(c *Config) {
		c.ClientConfig.Endpoint, c.TokenURL, c.ClientID, c.ClientSecret = "", "", "", ""
		c.ServiceKey = configopaque.String(w.sub.ServiceKey(sapbtp.SecretKey))
		c.ClientConfig.Middlewares = []configmiddleware.Config{{ID: middlewareID}}
	})
	host := crashtest.NewHost(crashtest.NewExtension(w.disk))
	host.GetExtensions()[middlewareID] = w.clients
	w.host = &statusHost{Host: host}
	var err error
	w.r, err = w.startOn(w.host)
	require.NoError(t, err)
	return w
}

// source is a subaccount with its present key of the given kind.
func (w *followWorld) source(i int, kind sapbtp.KeyStyle) keyfiles.Source {
	w.t.Helper()
	keys, err := servicekey.Parse(w.sim.Subaccount(i).ServiceKey(kind))
	require.NoError(w.t, err)
	return keyfiles.Source{ID: identity(keys[0]), Credentials: []keyfiles.Credential{{Key: keys[0]}}}
}

// follow tells the receiver what the key files now say, which must take no time.
func (w *followWorld) follow(sources ...keyfiles.Source) (done bool) {
	w.t.Helper()
	before := time.Now()
	done = w.r.term.follow(keyfiles.Snapshot{Sources: sources})
	require.Equal(w.t, before, time.Now(), "nothing is waited for")
	return done
}

// write makes events in subaccounts.
func (w *followWorld) write(subaccounts ...int) {
	for _, i := range subaccounts {
		w.sim.Generate(w.sim.Subaccount(i).Tenant, 100, time.Now().Add(-time.Hour), time.Now())
	}
}

func (w *followWorld) requireRead(i int, read bool) {
	w.t.Helper()
	tenant := sapbtp.InTenant(w.sim.Subaccount(i).Tenant)
	missing := len(w.sim.Ledger().Missing(w.sink.delivered(), tenant))
	require.Equal(w.t, read, missing == 0, "subaccount %d, log: %q", i, w.messages(0))
}

func TestASubaccountThatCannotBeReadYetHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		hurt, mend func(t *testing.T, w *followWorld)
		kind       sapbtp.KeyStyle
		says       string
	}{
		"its state is of a newer release": {
			hurt: func(t *testing.T, w *followWorld) {
				t.Helper()
				newer, err := durable.Seal(checkpointVersion+1, 0)
				require.NoError(t, err)
				require.NoError(t, w.disk.Client().Set(t.Context(), w.progressKey(1), newer))
			},
			mend: func(t *testing.T, w *followWorld) {
				t.Helper()
				require.NoError(t, w.disk.Client().Delete(t.Context(), w.progressKey(1)))
			},
			kind: sapbtp.SecretKey, says: "storage ",
		},
		"no client can be made": {
			hurt: func(_ *testing.T, w *followWorld) { w.clients.clients.Store(0) },
			mend: func(_ *testing.T, w *followWorld) { w.clients.clients.Store(plenty) },
			kind: sapbtp.X509Key, says: "credentials ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			virtually(t, func(t *testing.T) {
				w := newFollowWorld(t, 3)
				first, second, third := w.source(0, sapbtp.SecretKey), w.source(1, tc.kind), w.source(2, sapbtp.SecretKey)
				w.write(0, 1, 2)
				tc.hurt(t, w)
				require.False(t, w.follow(first, second, third))
				require.False(t, w.follow(first, second, third))
				time.Sleep(time.Hour)
				w.requireRead(0, true)
				w.requireRead(1, false)
				w.requireRead(2, true)
				cause := statusRecoverable + " " + tc.says + second.ID + ": "
				events := w.host.take()
				require.Len(t, events, 1)
				require.Contains(t, events[0], cause)
				require.Equal(t, 1, w.logs.FilterMessageSnippet("cannot be read yet").Len(), "once, for as long as nothing changes")

				require.True(t, w.follow(first, third), "without its key there is nothing to wait for")
				require.Equal(t, []string{statusOK}, w.host.take())

				require.False(t, w.follow(first, second, third))
				tc.mend(t, w)
				require.True(t, w.follow(first, second, third))
				events = w.host.take()
				require.Len(t, events, 2)
				require.Contains(t, events[0], cause)
				require.Equal(t, statusOK, events[1])
				time.Sleep(time.Hour)
				w.requireRead(1, tc.kind == sapbtp.SecretKey) // there is no TLS here
				require.NoError(t, w.r.Shutdown(t.Context()))
				w.requireNoDuplicates(0)
			})
		})
	}
}

func TestASubaccountThatLeavesSlowlyHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newFollowWorld(t, 3)
		first, second, third := w.source(0, sapbtp.SecretKey), w.source(1, sapbtp.SecretKey), w.source(2, sapbtp.SecretKey)
		accept := make(chan struct{}) // a consumer that does not care for its context
		w.sink.accept = func(plog.Logs) error { <-accept; return nil }
		w.write(1)
		require.True(t, w.follow(first, second))
		time.Sleep(time.Minute)

		w.follow(first)
		require.False(t, w.follow(first, second, third), "the second is still being delivered")
		time.Sleep(time.Minute)
		require.Len(t, w.r.list(), 3, "the third does not wait for that")
		close(accept)
		w.write(2)
		time.Sleep(time.Minute)
		require.Len(t, w.r.list(), 2, "the second has left")
		require.True(t, w.follow(first, second, third))
		time.Sleep(time.Hour)
		require.NoError(t, w.r.Shutdown(t.Context()))
		w.requireExactlyOnce()
	})
}

func TestCredentialsThatCannotBeUsedYetAreTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newFollowWorld(t, 3)
		secret, certificate := w.source(0, sapbtp.SecretKey), w.source(0, sapbtp.X509Key)
		both := keyfiles.Source{ID: secret.ID, Credentials: append(certificate.Credentials, secret.Credentials...)}
		require.True(t, w.follow(secret))
		w.clients.clients.Store(0)
		w.write(0)
		for range 3 {
			require.False(t, w.follow(both))
			time.Sleep(time.Hour)
		}
		w.requireRead(0, true)
		events := w.host.take()
		require.Len(t, events, 1)
		require.Contains(t, events[0], statusRecoverable+" credentials "+secret.ID+": ")
		require.Contains(t, events[0], "building the HTTP client")
		require.Equal(t, 1, w.logs.FilterMessageSnippet("New credentials cannot be used yet").Len(), "once, for as long as nothing changes")

		w.clients.clients.Store(plenty)
		require.True(t, w.follow(both))
		require.True(t, w.r.list()[0].connection.Load().holds(both))
		require.Equal(t, []string{statusOK}, w.host.take())
		require.NoError(t, w.r.Shutdown(t.Context()))
	})
}

func TestOneKeyThatCannotBeUsedYetDoesNotFailTheStart(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 2)
	clients := &middleware{}
	clients.clients.Store(2) // for the API and for tokens by secret, not for the certificate
	configure := w.configure
	w.configure = func(c *Config) {
		configure(c)
		c.ClientConfig.Middlewares = []configmiddleware.Config{{ID: middlewareID}}
	}
	extensions := fileStorage(t)
	extensions.GetExtensions()[middlewareID] = clients
	host := &healthHost{Host: extensions}
	w.key("a.json", w.secretKey(0))
	w.key("b.json", w.sim.Subaccount(1).ServiceKey(sapbtp.X509Key))
	r, err := w.startOn(host)
	require.NoError(t, err)
	w.caughtUp("beside one that cannot be used", 0)
	w.requireEventually(func() bool { return strings.Contains(host.health(), "credentials ") }, "it is a status")
	clients.clients.Store(plenty)
	r.term.recheck() // as after 30 seconds
	w.caughtUp("as soon as it can be used", 0, 1)
	w.requireEventually(func() bool { return host.health() == "" }, "all is well again")
	w.finish(0, 1)
}

func TestSubaccountsThatComeTogetherDoNotPollTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 30
		w := newFollowWorld(t, n+1)
		var sources []keyfiles.Source
		for i := range n + 1 {
			sources = append(sources, w.source(i, sapbtp.SecretKey))
		}
		require.True(t, w.follow(sources...))
		time.Sleep(10 * time.Minute)
		seconds := map[int]int{}
		for _, request := range w.sim.Ledger().Requests() {
			if request.Kind == sapbtp.KindRecords && time.Since(request.Time) < 9*time.Minute {
				seconds[request.Time.Second()]++
			}
		}
		require.Greater(t, len(seconds), n*2/3, "%v", seconds)
		require.NoError(t, w.r.Shutdown(t.Context()))
	})
}

// What the counters of a subaccount say stays in the SDK for good, so those that come and go count as much as those present.
func TestMetricsHaveBoundedNamesHoweverManySubaccountsComeAndGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const waves, each = 4, 40
		w := newFollowWorld(t, waves*each)
		for wave := range waves {
			var sources []keyfiles.Source
			for i := range each {
				sources = append(sources, w.source(wave*each+i, sapbtp.SecretKey))
			}
			w.follow(sources...)
			time.Sleep(10 * time.Minute)
			require.True(t, w.follow(sources...))
			require.Len(t, w.r.list(), each)
		}
		names := map[string]bool{}
		for _, point := range dataOf[metricdata.Sum[int64]](t, w.world, "otelcol_sap_btp_audit_token_refreshes").DataPoints {
			name, _ := point.Attributes.Value("subaccount")
			names[name.AsString()] = true
		}
		require.Len(t, names, maxNames+1)
		require.True(t, names["other"])
		require.Equal(t, w.sim.Subaccount(99).Tenant, w.r.metricNames.of(w.sim.Subaccount(99).Tenant), "a name is kept")
		require.NoError(t, w.r.Shutdown(t.Context()))
	})
}

func (w *followWorld) progressKey(i int) string { return w.sim.Subaccount(i).Tenant + "/progress/0" }
