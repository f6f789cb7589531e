// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.uber.org/goleak"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// listening is a world whose receiver reaches the simulator over a real socket, with the HTTP client of its configuration.
func listening(t *testing.T, options saassecurity.Options, configure ...func(*Config)) *world {
	t.Helper()
	w := newWorld(t, options)
	endpoint, err := w.sim.Start(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	w.network = nil
	w.configure = append([]func(*Config){func(cfg *Config) {
		cfg.ClientConfig.Endpoint = endpoint
		cfg.PollInterval = 10 * time.Millisecond
	}}, configure...)
	return w
}

// A GET that net/http repeats by itself, because a reused connection died, would cost the events of the first one unseen.
func TestServerSeesEveryReadThatIsCounted(t *testing.T) {
	w := listening(t, saassecurity.Options{
		Seed: 1,
		Rules: []saassecurity.Rule{
			{Reused: true, Fault: saassecurity.Fault{Reset: saassecurity.ResetAfter}},
			{Chance: 0.1, Times: 1, Fault: saassecurity.Fault{Reset: saassecurity.ResetAfter}},
			{Chance: 0.1, Times: 1, Fault: saassecurity.Fault{Truncate: saassecurity.AtRandom}},
		},
	}, func(cfg *Config) {
		cfg.ClientConfig.HTTP2ReadIdleTimeout = time.Second // would bring HTTP/2, which reuses connections
	})
	w.sim.Enqueue(3000)
	l := w.mustStart()
	require.Eventually(t, func() bool { return w.sim.Ledger().Queued == 0 }, patience, 10*time.Millisecond)
	l.stop(t)
	require.Zero(t, w.sim.Ledger().Queued)
	for _, read := range w.sim.Ledger().Reads {
		require.Equal(t, 1, read.Use, "every read has a connection of its own")
	}
	l = w.mustStart()
	again := len(w.sim.Ledger().Reads)
	require.Eventually(t, func() bool {
		return w.metric("saas_security_spool_entries") == 0 && len(w.sim.Ledger().Reads) > again
	}, patience, 10*time.Millisecond)
	l.stop(t)
	w.requireAccounted()
	require.Positive(t, w.metric("saas_security_reads_unknown_outcome"))
	tokens := w.sim.Ledger().Tokens
	require.Len(t, tokens, 2, "one for each start")
}

// bearer is an extension that adds a fixed token, in the place of oauth2client.
type bearer struct {
	component.StartFunc
	component.ShutdownFunc
	token string
}

var _ extensionauth.HTTPClient = (*bearer)(nil)

func (b *bearer) RoundTripper(base http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
		return base.RoundTrip(r)
	}), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAuthenticatorExtensionBringsTheToken(t *testing.T) {
	id := component.MustNewID("oauth2client")
	w := listening(t, saassecurity.Options{}, func(cfg *Config) {
		cfg.ClientID, cfg.ClientSecret = "", ""
		cfg.ClientConfig.Auth = configoptional.Some(configauth.Config{AuthenticatorID: id})
	})
	_, err := w.start()
	require.ErrorContains(t, err, "building the HTTP client")

	w.sim.Enqueue(250)
	l := w.prepare()
	l.host.extensions[id] = &bearer{token: newToken(t, w)}
	require.NoError(t, l.Start(t.Context(), l.host))
	require.Eventually(t, func() bool { return w.sink.events() == 250 }, patience, 10*time.Millisecond)
	l.stop(t)
	w.requireDelivered(upTo(250))
	require.Len(t, w.sim.Ledger().Tokens, 1, "that of the test")
}

func newToken(t *testing.T, w *world) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, saassecurity.URL+"/oauth/token",
		strings.NewReader("grant_type=client_credentials&scope=api_access"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(saassecurity.DefaultClientID, saassecurity.DefaultClientSecret)
	client := &http.Client{Transport: w.sim.Transport()}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var reply struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&reply))
	return reply.Token
}

// A proxy or middleware below the receiver that repeats requests must at least be noticed.
func TestRepeatedReadIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		base := w.network.reads
		w.network.reads = roundTripper(func(r *http.Request) (*http.Response, error) {
			first, err := base.RoundTrip(r.Clone(r.Context()))
			if err != nil {
				return nil, err
			}
			_ = first.Body.Close()
			return base.RoundTrip(r)
		})
		w.sim.Enqueue(200)
		w.runFor(time.Second)
		require.Equal(t, 100, w.sink.events())
		require.Positive(t, w.metric("saas_security_reads_unknown_outcome", "reason", "repeated"))
		require.Equal(t, len(w.sim.Ledger().Reads), w.metric("saas_security_reads"))
		require.Contains(t, strings.Join(w.messages(0), "\n"), "A read was sent more than once")
	})
}

// The server goes on, so that only the receiver can have closed its connections.
func TestNoConnectionOutlivesTheReceiver(t *testing.T) {
	w := listening(t, saassecurity.Options{Seed: 1})
	w.sim.Enqueue(300)
	before := goleak.IgnoreCurrent()
	l := w.mustStart()
	require.Eventually(t, func() bool { return w.sim.Ledger().Queued == 0 }, patience, 10*time.Millisecond)
	require.Error(t, goleak.Find(before), "there are connections")
	l.stop(t)
	goleak.VerifyNone(t, before)
}
