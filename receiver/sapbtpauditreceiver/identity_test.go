// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
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

func TestKeysThatOnlyAGatewayBringsTogetherAreDoubted(t *testing.T) {
	const sap, gateway = "https://acme.authentication.eu10.hana.ondemand.com", "https://gateway.example.com"
	for name, tc := range map[string]struct {
		keys []servicekey.Key
		want bool
	}{
		"one":                      {[]servicekey.Key{{TokenURL: gateway, ClientID: "a"}}, false},
		"two of one client":        {[]servicekey.Key{{TokenURL: gateway, ClientID: "a"}, {TokenURL: gateway, ClientID: "a"}}, false},
		"two clients":              {[]servicekey.Key{{TokenURL: gateway, ClientID: "a"}, {TokenURL: gateway, ClientID: "b"}}, true},
		"two clients at SAP":       {[]servicekey.Key{{TokenURL: sap, ClientID: "a"}, {TokenURL: sap, ClientID: "b"}}, false},
		"beside one with a tenant": {[]servicekey.Key{{TokenURL: gateway, ClientID: "a", TenantID: "A"}, {TokenURL: gateway, ClientID: "b"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var credentials []keyfiles.Credential
			for _, key := range tc.keys {
				credentials = append(credentials, keyfiles.Credential{Key: key})
			}
			require.Equal(t, tc.want, doubtful(credentials))
		})
	}
}

func TestKeysThatMayBeOfSeveralSubaccountsAreWarnedOf(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 2)
	w.key("one.json", w.kymaKey(0))
	w.key("two.json", w.kymaKey(1))
	_, err := w.startOn(&healthHost{Host: fileStorage(t)})
	require.NoError(t, err)
	w.requireEventually(func() bool { return w.logs.FilterMessageSnippet("Keys that name no tenant").Len() == 1 }, "the log says so")
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
