// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

func TestKeysThatDoNotNameTheirTenantJoinThoseThatDo(t *testing.T) {
	const (
		sap      = "https://acme.authentication.eu10.hana.ondemand.com/oauth/token"
		sapCert  = "https://acme.authentication.cert.eu10.hana.ondemand.com/oauth/token"
		sapOther = "https://other.authentication.eu10.hana.ondemand.com/oauth/token"
		gateway  = "https://gateway.example.com/oauth/token"
	)
	named := func(tenant, url string) servicekey.Key { return servicekey.Key{TenantID: tenant, TokenURL: url} }
	for name, tc := range map[string]struct {
		url     string
		learned string
		others  []servicekey.Key
		want    string
	}{
		"alone":                                 {sap, "", nil, "acme.authentication.eu10.hana.ondemand.com"},
		"alone, the token has told":             {sap, "A", nil, "acme.authentication.eu10.hana.ondemand.com"},
		"beside a secret":                       {sap, "", []servicekey.Key{named("A", sap)}, "A"},
		"beside a certificate":                  {sap, "", []servicekey.Key{named("A", sapCert), named("B", sapOther)}, "A"},
		"beside two keys of the same tenant":    {sap, "", []servicekey.Key{named("A", sap), named("A", sapCert)}, "A"},
		"beside another subaccount":             {sap, "", []servicekey.Key{named("B", sapOther)}, "acme.authentication.eu10.hana.ondemand.com"},
		"beside two that share the host":        {sap, "", []servicekey.Key{named("A", sap), named("B", sap)}, "acme.authentication.eu10.hana.ondemand.com"},
		"a gateway's host says nothing":         {gateway, "", []servicekey.Key{named("A", gateway)}, "gateway.example.com"},
		"behind a gateway, the token has told":  {gateway, "A", []servicekey.Key{named("A", gateway), named("B", gateway)}, "A"},
		"the token tells another than the host": {sap, "B", []servicekey.Key{named("A", sap), named("B", sapOther)}, "B"},
		"the token tells one that no key names": {sap, "C", []servicekey.Key{named("A", sap)}, "acme.authentication.eu10.hana.ondemand.com"},
	} {
		t.Run(name, func(t *testing.T) {
			storage := durable.NewMemory()
			kyma := servicekey.Key{TokenURL: tc.url, ClientID: "sb-1!b1"}
			n := newNames(storage, zap.NewNop())
			if tc.learned != "" {
				n.learn(t.Context(), kyma, tc.learned)
			}
			for _, n := range []*names{n, newNames(storage, zap.NewNop())} { // which a restart makes
				n.survey(append([]servicekey.Key{kyma}, tc.others...))
				require.Equal(t, tc.want, n.of(kyma))
			}
		})
	}
}

// Behind a gateway the host says nothing, so that each key is a source of its own until its token tells.
func TestKeysBehindAGatewayAreApartUntilTheirTokensTell(t *testing.T) {
	const host, gateway = "gateway.example.com", "https://gateway.example.com/oauth/token"
	key := func(client string) servicekey.Key { return servicekey.Key{TokenURL: gateway, ClientID: client} }
	type told struct{ client, tenant string }
	for name, tc := range map[string]struct {
		before string // the key that was there alone
		told   []told // what tokens said, in this order
		want   map[string]string
	}{
		"nothing is known":           {"", nil, map[string]string{"a": host, "b": host + " b", "c": host + " c"}},
		"the first of all is not a":  {"b", nil, map[string]string{"a": host + " a", "b": host, "c": host + " c"}},
		"three subaccounts":          {"", []told{{"a", "A"}, {"b", "B"}, {"c", "C"}}, map[string]string{"a": host, "b": host + " b", "c": host + " c"}},
		"one of the first's":         {"b", []told{{"b", "A"}, {"a", "A"}}, map[string]string{"a": host, "b": host, "c": host + " c"}},
		"the first tells last":       {"b", []told{{"a", "A"}, {"b", "A"}}, map[string]string{"a": host, "b": host, "c": host + " c"}},
		"two of another's":           {"", []told{{"a", "A"}, {"c", "B"}, {"b", "B"}}, map[string]string{"a": host, "b": host + " c", "c": host + " c"}},
		"all of the same subaccount": {"c", []told{{"a", "A"}, {"b", "A"}, {"c", "A"}}, map[string]string{"a": host, "b": host, "c": host}},
	} {
		t.Run(name, func(t *testing.T) {
			storage := durable.NewMemory()
			n := newNames(storage, zap.NewNop())
			if tc.before != "" {
				n.survey([]servicekey.Key{key(tc.before)})
			}
			all := []servicekey.Key{key("c"), key("a"), key("b")}
			n.survey(all)
			for _, told := range tc.told {
				n.learn(t.Context(), key(told.client), told.tenant)
			}
			again := newNames(storage, zap.NewNop()) // which a restart makes
			again.survey(all)
			for _, n := range []*names{n, again} {
				for client, want := range tc.want {
					require.Equal(t, want, n.of(key(client)), client)
				}
			}
			again.survey([]servicekey.Key{key("b")})
			require.Equal(t, tc.want["b"], again.of(key("b")), "also when it is alone again")
		})
	}
}

func TestAKeyThatReplacesTheOnlyOneBehindAGatewayGoesOnForIt(t *testing.T) {
	storage := durable.NewMemory()
	for _, client := range []string{"b", "a", "c"} {
		n := newNames(storage, zap.NewNop())
		key := servicekey.Key{TokenURL: "https://gateway.example.com", ClientID: client}
		n.survey([]servicekey.Key{key})
		require.Equal(t, "gateway.example.com", n.of(key))
	}
}

func TestEveryKeyBehindAGatewayIsRead(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 3)
	host := &healthHost{Host: fileStorage(t)}
	for i, name := range []string{"one.json", "two.json", "three.json"} {
		w.key(name, w.kymaKey(i))
	}
	for _, what := range []string{"at the first start", "after a restart"} {
		r, err := w.startOn(host)
		require.NoError(t, err)
		w.caughtUp(what, 0, 1, 2)
		require.Len(t, r.list(), 3)
		require.NoError(t, r.Shutdown(t.Context()))
	}
	_, err := w.startOn(host)
	require.NoError(t, err)
	w.finish(0, 1, 2)
}

// The state that goes by the host is that of the key with which it was read, also where an earlier release has left no word of it.
func TestAStateBehindAGatewayGoesOnWhenOthersCome(t *testing.T) {
	t.Parallel()
	for _, reader := range []int{0, 1} {
		t.Run(strconv.Itoa(reader), func(t *testing.T) {
			w := newKeyWorld(t, 2)
			storage := fileStorage(t)
			w.key("reader.json", w.kymaKey(reader))
			r, err := w.startOn(storage)
			require.NoError(t, err)
			w.caughtUp("alone", reader)
			host := r.list()[0].id
			require.NoError(t, r.term.storage.Delete(t.Context(), noteOwner(host)))
			require.NoError(t, r.Shutdown(t.Context()))

			w.key("other.json", w.kymaKey(1-reader))
			for range 2 {
				r, err = w.startOn(storage)
				require.NoError(t, err)
				w.caughtUp("beside each other", 0, 1)
				require.NoError(t, r.Shutdown(t.Context()))
			}
			r, err = w.startOn(storage)
			require.NoError(t, err)
			w.remove("reader.json")
			w.logged("The keys of the subaccount are gone", 1)
			w.caughtUp("the other alone", 1-reader)
			w.key("named.json", w.secretKey(1-reader))
			w.remove("other.json")
			w.logged("The keys of the subaccount are gone", 2)
			w.key("reader.json", w.kymaKey(reader))
			w.caughtUp("by a key that names its tenant", 0, 1)
			require.NoError(t, r.Shutdown(t.Context()))
			_, err = w.startOn(storage)
			require.NoError(t, err)
			w.finish(0, 1)
		})
	}
}

// Where tokens say nothing, nobody knows which of several keys the state of the host was read with, so each goes on from it.
func TestAKeyOfWhichNothingIsKnownGoesOnFromTheStateOfItsHost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const url = "https://gateway.example.com"
		storage := durable.NewMemory()
		at := &term{storage: storage, names: newNames(storage, zap.NewNop()), subaccounts: map[string]*subaccount{}}
		keys := []servicekey.Key{{TokenURL: url, ClientID: "a"}, {TokenURL: url, ClientID: "b"}}
		store := progressStore{client: storage, prefix: "gateway.example.com/"}
		op, err := store.operation(sweep.New([]time.Duration{0}, 4711))
		require.NoError(t, err)
		require.NoError(t, storage.Batch(t.Context(), op))

		at.names.survey(keys)
		for i, want := range []place{
			{prefix: "gateway.example.com/", note: "state of gateway.example.com", begun: true},
			{prefix: "gateway.example.com b/", note: "state of gateway.example.com b", from: "gateway.example.com/"},
		} {
			got, err := at.place(t.Context(), keyfiles.Source{ID: at.names.of(keys[i]), Credentials: []keyfiles.Credential{{Key: keys[i]}}})
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		other := &subaccount{cfg: createDefaultConfig().(*Config), store: progressStore{client: storage, prefix: "gateway.example.com b/"}, logger: zap.NewNop()}
		require.NoError(t, other.restore(t.Context(), place{from: "gateway.example.com/"}))
		require.Equal(t, int64(4711), other.published.Load().Oldest())
	})
}

// A move from Kyma's key to a service key has both for a while.
func TestAKymaKeyBesideAServiceKeyIsTheSameSubaccount(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 2) // both behind one token host, which therefore says nothing
	host := &healthHost{Host: fileStorage(t)}
	w.key("other.json", w.secretKey(1))
	w.key("kyma.json", w.kymaKey(0))
	w.key("named.json", w.secretKey(0))
	r, err := w.startOn(host)
	require.NoError(t, err)
	two := func() bool {
		for _, s := range r.list() {
			if strings.Contains(s.id, ":") { // a host
				return false
			}
		}
		return len(r.list()) == 2
	}
	w.requireEventually(two, "the key has joined the subaccount")
	w.caughtUp("beside each other", 0, 1)

	w.remove("named.json")
	w.logged("The keys of the subaccount are gone", 2)
	w.caughtUp("by Kyma's key alone", 0, 1)
	w.key("named.json", w.secretKey(0))
	w.requireEventually(two, "together again")
	w.remove("kyma.json")
	w.caughtUp("by the service key alone", 0, 1)
	w.requireEventually(func() bool { return host.health() == "" }, "all is well")
	w.finish(0, 1)
}

func TestKymasKeyServesWhereTheServiceKeyIsRefused(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 1)
	old := w.secretKey(0)
	w.sim.RotateSecret(w.sub.Tenant)
	w.key("kyma.json", w.kymaKey(0))
	_, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	w.caughtUp("by Kyma's key alone", 0)
	w.key("named.json", old)
	later := time.Now().Add(time.Minute) // so that it is tried first
	require.NoError(t, os.Chtimes(filepath.Join(w.dir, "named.json"), later, later))
	w.logged("The keys of the subaccount are gone", 1)
	w.logged("does not work; another one is used", 1)
	w.caughtUp("by the second of two keys", 0)
	w.finish(0)
}
