// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// keyWorld is a world of real listeners, time and files, whose receiver reads the keys in a folder, while new events come
// into being in each subaccount.
type keyWorld struct {
	*world
	dir        string
	endTraffic func()
}

func newKeyWorld(t *testing.T, subaccounts int) *keyWorld {
	t.Helper()
	w := &keyWorld{dir: t.TempDir()}
	w.world = newWorld(t, sapbtp.Options{
		Seed: 71, Subaccounts: subaccounts, Readings: sapbtp.Readings{TokenLifetime: 2 * time.Second},
	}, func(c *Config) {
		c.ClientConfig.Endpoint, c.TokenURL, c.ClientID, c.ClientSecret = "", "", "", ""
		c.ServiceKeys = []string{filepath.Join(w.dir, "*")}
		c.ClientConfig.TLS.CAPem = configopaque.String(w.sim.CACertificate())
		c.StorageID = &fileStorageID
		c.InitialLookback = 6 * time.Hour
		c.PollInterval = 200 * time.Millisecond
		c.RequestsPerSecond = 1000
	})
	listeners, err := w.sim.Start(sapbtp.StartOptions{TLS: true, MutualTLS: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listeners.Close()) })
	w.sub, w.transport = w.sim.Subaccount(0), nil
	for _, sub := range w.sim.Subaccounts() {
		w.sim.Generate(sub.Tenant, 300, time.Now().Add(-5*time.Hour), time.Now())
	}
	w.endTraffic = w.sim.Live(60).Begin(50 * time.Millisecond)
	t.Cleanup(w.endTraffic)
	return w
}

// key puts a key into the folder, at once and whole.
func (w *keyWorld) key(name string, content []byte) {
	w.t.Helper()
	temporary := filepath.Join(w.dir, ".temporary")
	require.NoError(w.t, os.WriteFile(temporary, content, 0o600))
	require.NoError(w.t, os.Rename(temporary, filepath.Join(w.dir, name)))
}

func (w *keyWorld) remove(name string) {
	w.t.Helper()
	require.NoError(w.t, os.RemoveAll(filepath.Join(w.dir, name)))
}

// secretKey is the key with the subaccount's present secret.
func (w *keyWorld) secretKey(i int) []byte { return w.sim.Subaccount(i).ServiceKey(sapbtp.SecretKey) }

// kymaKey is the same as Kyma writes it, which does not name the tenant.
func (w *keyWorld) kymaKey(i int) []byte {
	w.t.Helper()
	sub := w.sim.Subaccount(i)
	text, err := json.Marshal(map[string]string{
		"url": sub.Endpoint, "tokenUrl": sub.TokenURL, "clientID": sub.ClientID, "clientSecret": sub.ClientSecret,
	})
	require.NoError(w.t, err)
	return text
}

// caughtUp waits until everything has arrived that the subaccounts show now.
func (w *keyWorld) caughtUp(what string, subaccounts ...int) {
	w.t.Helper()
	now := time.Now()
	for _, i := range subaccounts {
		tenant := sapbtp.InTenant(w.sim.Subaccount(i).Tenant)
		w.requireEventually(func() bool {
			return len(w.sim.Ledger().Missing(w.sink.delivered(), tenant, sapbtp.VisibleBy(now))) == 0
		}, "%s: subaccount %d is read; log: %q", what, i, w.messages(0))
	}
}

// finish waits for the last events and compares with the ledger.
func (w *keyWorld) finish(subaccounts ...int) {
	w.t.Helper()
	w.endTraffic()
	w.caughtUp("the end", subaccounts...)
	w.requireNoDuplicates(0)
	require.Empty(w.t, w.sim.Ledger().Unexpected(w.sink.delivered()))
	require.Empty(w.t, w.sim.Ledger().Leaks())
}

func (w *keyWorld) logged(message string, n int) {
	w.t.Helper()
	w.requireEventually(func() bool { return w.logs.FilterMessageSnippet(message).Len() >= n }, "%d times in the log: %s", n, message)
}

// healthHost is a host with file_storage that keeps the last status.
type healthHost struct {
	component.Host
	mu   sync.Mutex
	last string
}

func (h *healthHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = ""
	if event.Err() != nil {
		h.last = event.Err().Error()
	}
}

func (h *healthHost) health() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

func TestKeysAppearChangeVanishAndComeBackWhileRunning(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 3)
	host := &healthHost{Host: fileStorage(t)}
	w.key("first.json", w.secretKey(0))
	r, err := w.startOn(host)
	require.NoError(t, err)
	w.caughtUp("from the start", 0)

	w.key("second.json", []byte(`{"uaa": {"clientid": "sb-1`))
	broken := filepath.Join(w.dir, "second.json")
	w.requireEventually(func() bool { return strings.Contains(host.health(), broken) }, "the broken key is a status")
	require.Contains(t, host.health(), "JSON")
	require.Equal(t, 1, strings.Count(host.health(), broken), "named once: %s", host.health())
	require.Equal(t, 1, w.logs.FilterMessage("A problem with service keys; those read before stay in use").Len())
	w.caughtUp("beside a broken key", 0)
	w.key("second.json", w.secretKey(1))
	w.caughtUp("appeared", 0, 1)
	w.requireEventually(func() bool { return host.health() == "" }, "all is well again")

	w.remove("first.json")
	w.logged("The keys of the subaccount are gone", 1)
	require.Len(t, r.list(), 1)
	away := time.Now()
	w.key("third.json", w.secretKey(2)) // behind the same token host, and not the one that went
	w.caughtUp("while the first is away", 1, 2)
	afterwards := []sapbtp.Filter{sapbtp.InTenant(w.sub.Tenant), sapbtp.Between(away, time.Now())}
	w.requireEventually(func() bool { return w.sim.Ledger().Count(afterwards...) > 0 }, "the first goes on writing")
	for e := range w.sim.Ledger().Entries(afterwards...) {
		require.NotContains(t, w.sink.delivered(), e.ID, "and is not read")
	}

	w.key("renamed.json", w.secretKey(0))
	w.caughtUp("came back", 0, 1, 2)
	w.finish(0, 1, 2)
}

func TestTheOtherKeyOfASubaccountIsUsedWhenOneIsRevoked(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 1)
	host := &healthHost{Host: fileStorage(t)}
	old := w.secretKey(0)
	w.sim.RotateSecret(w.sub.Tenant)
	w.key("b.json", w.secretKey(0))
	w.key("a.json", old)
	later := time.Now().Add(time.Minute) // so that it is tried first
	require.NoError(t, os.Chtimes(filepath.Join(w.dir, "a.json"), later, later))
	r, err := w.startOn(host)
	require.NoError(t, err)
	w.caughtUp("by the second of two keys", 0)
	require.Len(t, r.list(), 1)
	require.Empty(t, host.health())

	w.remove("b.json")
	w.sim.RevokeTokens(w.sub.Tenant)
	w.requireEventually(func() bool { return strings.Contains(host.health(), "refused the credentials") }, "none is left")
	w.key("b.json", w.secretKey(0))
	w.caughtUp("the good one came back", 0)
	w.requireEventually(func() bool { return host.health() == "" }, "all is well again")
	w.finish(0)
}

func TestProgressBelongsToTheSubaccountAndNotToItsKey(t *testing.T) {
	t.Parallel()
	w := newKeyWorld(t, 1)
	w.key("a.json", w.secretKey(0))
	_, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	w.caughtUp("from the start", 0)
	for _, change := range []struct {
		name string
		make func()
	}{
		{"renamed", func() { require.NoError(t, os.Rename(filepath.Join(w.dir, "a.json"), filepath.Join(w.dir, "b.json"))) }},
		{"secret replaced", func() {
			w.sim.RotateSecret(w.sub.Tenant)
			w.sim.RevokeTokens(w.sub.Tenant)
			w.key("b.json", w.secretKey(0))
		}},
		{"to a form without tenant", func() { w.key("b.json", w.kymaKey(0)) }},
		{"and back", func() { w.key("b.json", w.secretKey(0)) }},
		{"to a certificate", func() {
			w.key("c.json", w.sim.Subaccount(0).ServiceKey(sapbtp.X509Key))
			w.remove("b.json")
			w.sim.RotateSecret(w.sub.Tenant)
			w.sim.RevokeTokens(w.sub.Tenant)
		}},
	} {
		change.make()
		w.caughtUp(change.name, 0)
	}
	w.finish(0)
}

func TestAChangedSecretFileServesTheNextToken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	w := newKeyWorld(t, 1)
	configure := w.configure
	w.configure = func(c *Config) {
		configure(c)
		c.ServiceKeys = nil
		point(c, w.sub)
		c.ClientSecret, c.ClientSecretFile = "", path
	}
	require.NoError(t, os.WriteFile(path, []byte(w.sub.ClientSecret+"\n"), 0o600))
	_, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	w.caughtUp("by the first secret", 0)
	require.NoError(t, os.WriteFile(path, []byte(w.sim.RotateSecret(w.sub.Tenant)), 0o600))
	w.sim.RevokeTokens(w.sub.Tenant)
	w.caughtUp("by the second secret", 0)
	w.finish(0)
}
