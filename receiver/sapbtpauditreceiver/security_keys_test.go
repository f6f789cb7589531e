// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// Whatever becomes of the files that hold secrets, nobody else learns one.
func TestNoSecretOfAFileIsSeenAnywhere(t *testing.T) {
	t.Parallel()
	for name, live := range map[string]func(*testing.T, *keyWorld, *witness, *statusHost){
		"service_keys": func(t *testing.T, w *keyWorld, witness *witness, host *statusHost) {
			t.Helper()
			x509 := w.sim.Subaccount(1).ServiceKey(sapbtp.X509Key)
			witness.noteKey(t, x509)
			w.key("a.json", w.secretKey(0))
			w.key("b.json", x509)
			w.begin(host)
			w.caughtUp("secret and certificate", 0, 1)
			old := w.secretKey(0)
			w.key("half.json", old[:len(old)*3/4])
			w.key("noisy.json", append(old, "canary"...))
			w.key("wrong.json", []byte(strings.ReplaceAll(string(x509), "-----END", "-----and")))
			w.key("unkeyed.json", []byte(strings.ReplaceAll(string(old), "clientid", "client-id")))
			w.logged("A problem with service keys", 1)
			witness.note("client secret", w.sim.RotateSecret(w.sub.Tenant))
			w.sim.RevokeTokens(w.sub.Tenant)
			w.key("a.json", w.secretKey(0))
			w.logged("Using changed credentials", 1)
			w.caughtUp("rotated", 0, 1)
			w.remove("b.json")
			w.logged("The keys of the subaccount are gone", 1)
		},
		"service_key": func(t *testing.T, w *keyWorld, witness *witness, host *statusHost) {
			t.Helper()
			w.change(func(c *Config) { c.ServiceKey = configopaque.String(w.secretKey(0)) })
			w.begin(host)
			w.caughtUp("with the key", 0)
			witness.note("client secret", w.sim.RotateSecret(w.sub.Tenant))
			w.sim.RevokeTokens(w.sub.Tenant)
			w.logged("Reading the audit log failed", 1)
		},
		"client_secret_file": func(t *testing.T, w *keyWorld, witness *witness, host *statusHost) {
			t.Helper()
			path := filepath.Join(w.dir, "secret")
			w.key("secret", []byte(w.sub.ClientSecret+"\n"))
			w.change(func(c *Config) {
				point(c, w.sub)
				c.ClientSecret, c.ClientSecretFile = "", path
			})
			w.begin(host)
			w.caughtUp("with the file", 0)
			secret := w.sim.RotateSecret(w.sub.Tenant)
			witness.note("client secret", secret)
			w.sim.RevokeTokens(w.sub.Tenant)
			w.logged("Reading the audit log failed", 1)
			w.key("secret", []byte(secret[:len(secret)/2])) // half written
			require.NoError(t, os.Remove(path))
			w.logged("Reading the audit log failed", 2)
			w.key("secret", []byte(secret))
			w.caughtUp("with the new secret", 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newKeyWorld(t, 2)
			core, logs := observer.New(zapcore.DebugLevel)
			w.logs, w.logger = logs, zap.New(core)
			configure := w.configure
			w.configure = func(c *Config) {
				configure(c)
				c.StorageID = &crashtest.StorageID
			}
			w.addCanaries()
			witness := newWitness(w.world)
			witness.note("token", "eyJhbGciOi") // as every one begins
			for _, sub := range w.sim.Subaccounts() {
				witness.note("client secret", sub.ClientSecret)
			}
			host := newStatusHost(w.world)
			live(t, w, witness, host)
			seen := w.publicised(t, host)
			require.NotEmpty(t, seen["storage"])
			witness.requireSecret(t, seen)
		})
	}
}

// begin starts the receiver.
func (w *keyWorld) begin(host *statusHost) {
	w.t.Helper()
	_, err := w.startOn(host)
	require.NoError(w.t, err)
}

// change replaces service_keys by other credentials.
func (w *keyWorld) change(configure func(*Config)) {
	before := w.configure
	w.configure = func(c *Config) {
		before(c)
		c.ServiceKeys = nil
		configure(c)
	}
}

// noteKey notes the lines of a key's private key.
func (s *witness) noteKey(t *testing.T, key []byte) {
	t.Helper()
	var fields struct {
		UAA struct{ Key string } `json:"uaa"`
	}
	require.NoError(t, json.Unmarshal(key, &fields))
	for line := range strings.SplitSeq(strings.TrimSpace(fields.UAA.Key), "\n") {
		if !strings.HasPrefix(line, "-----") {
			s.note("line of the private key", line)
		}
	}
}
