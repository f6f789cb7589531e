// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// content is part of every field of the records that must not be seen anywhere but at the backend.
const content = "canary-content"

// Whatever goes wrong, nobody who reads logs, health pages, metrics, traces or the disk learns a secret or an event.
func TestNoSecretAndNoEventIsSeenAnywhereInAnyFault(t *testing.T) {
	for _, name := range append(sapbtp.PresetNames(), "echo") {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, witness := watched(t, sapbtp.Options{Seed: 101, Readings: sapbtp.Readings{TokenLifetime: time.Minute}})
				if name == "echo" {
					witness.echo = true
				} else {
					rules, err := sapbtp.Preset(name)
					require.NoError(t, err)
					require.NoError(t, w.sim.Script(persistent(rules)...))
				}
				refusals := 0
				w.sink.accept = func(logs plog.Logs) error {
					if refusals++; refusals%4 == 1 {
						body, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
						require.NoError(t, err)
						return errors.New("the backend does not like " + string(body))
					}
					return nil
				}
				host := newStatusHost(w)
				r, err := w.startOn(host)
				require.NoError(t, err)
				time.Sleep(12 * time.Minute) // pauses after failures are up to a minute, and failures go on
				seen := w.publicised(t, host)
				require.NoError(t, r.Shutdown(t.Context()))
				require.NotEmpty(t, w.sink.delivered())
				require.Empty(t, w.sim.Ledger().Leaks())
				witness.requireSecret(t, seen)
				if name == "none" {
					require.ElementsMatch(t, []string{"client secret", "content of an event", "handle", "token"}, witness.kinds())
				}
			})
		})
	}
}

// persistent makes faults last for the first three minutes and return every now and then afterwards.
func persistent(rules []sapbtp.Rule) []sapbtp.Rule {
	var out []sapbtp.Rule
	for _, rule := range rules {
		switch rule.Fault.Kind { // each of these costs as much as a thousand others
		case sapbtp.FaultBomb, sapbtp.FaultOversize:
			rule.Times, rule.Fault.Bytes = 1, httpcall.DefaultMaxBody+1
		case sapbtp.FaultHuge:
			rule.Times = 3
		}
		lasting := rule
		lasting.Match.Every = 1
		if lasting.Match.Before == 0 {
			lasting.Match.Before = sapbtp.Duration(3 * time.Minute)
		}
		rule.Match.Every = min(rule.Match.Every, 3*len(rules))
		out = append(out, lasting, rule)
	}
	return out
}

func TestHeadersForTheAPIAreNotShownToTheTokenService(t *testing.T) {
	t.Parallel()
	var shown sync.Map // value of the header by path
	w := realWorld(t, sapbtp.StartOptions{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(resp http.ResponseWriter, req *http.Request) {
			shown.Store(req.URL.Path, req.Header.Get("X-Api-Key"))
			next.ServeHTTP(resp, req)
		})
	}}, func(c *Config) { c.ClientConfig.Headers.Set("X-Api-Key", "canary") })
	w.sim.Generate(w.sub.Tenant, 10, time.Now().Add(-time.Minute), time.Now())
	_, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	w.requireEventually(func() bool { return w.sink.total() >= 10 }, "events arrive")
	key, _ := shown.Load("/auditlog/v2/auditlogrecords")
	require.Equal(t, "canary", key)
	key, _ = shown.Load("/oauth/token")
	require.Empty(t, key)
}

// Over a real connection the Collector's HTTP client makes spans and metrics of its own. Its spans show the addresses that
// were asked, with the paging handles, which are worth nothing without a token.
func TestTheTracesOfRealRequestsShowNoSecretAndNoEvent(t *testing.T) {
	t.Parallel()
	witness := &witness{}
	w := realWorld(t, sapbtp.StartOptions{Handler: witness.watch})
	witness.secrets = newWitness(w).secrets
	w.addCanaries()
	var rules []sapbtp.Rule
	for _, kind := range []sapbtp.FaultKind{sapbtp.FaultReset, sapbtp.FaultRevoke, sapbtp.FaultTruncate} {
		rules = append(rules, sapbtp.Rule{Times: 1, Fault: sapbtp.Fault{Kind: kind}})
	}
	require.NoError(t, w.sim.Script(rules...))
	r, err := w.startOn(fileStorage(t))
	require.NoError(t, err)
	w.requireEventually(func() bool { return w.sink.total() >= 500 }, "events arrive")
	require.NoError(t, r.Shutdown(t.Context()))
	seen := w.publicised(t, &statusHost{})
	require.Contains(t, seen["spans"], "/auditlog/v2/auditlogrecords")
	require.Contains(t, seen["metrics"], "http.client.request.duration")
	witness.requireSecret(t, seen)
}

func TestNoPrivateKeyIsSeenAnywhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, witness := watched(t, sapbtp.Options{Seed: 103, Readings: sapbtp.Readings{TokenLifetime: time.Minute}})
		certificate := w.sim.IssueClientCert(w.sub.Tenant, 10*time.Minute)
		witness.RoundTripper = w.sim.Transport(sapbtp.WithClientCertificate(func() *tls.Certificate { return &certificate.TLS }))
		w.configure = func(c *Config) { present(c, w.sub, certificate) }
		for line := range strings.SplitSeq(strings.TrimSpace(string(certificate.KeyPEM)), "\n") {
			if !strings.HasPrefix(line, "-----") {
				witness.note("line of the private key", line)
			}
		}
		host := newStatusHost(w)
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(5 * time.Minute)
		require.NotEmpty(t, w.sink.delivered())
		time.Sleep(10 * time.Minute) // it has expired
		seen := w.publicised(t, host)
		require.Contains(t, seen["status"], "client certificate")
		require.NoError(t, r.Shutdown(t.Context()))
		witness.requireSecret(t, seen)
	})
}

func TestAParsedKeyAndItsConfigurationHideTheirSecretsWhereverTheyArePrinted(t *testing.T) {
	sub := sapbtp.New(sapbtp.Options{Seed: 104}).Subaccount(0)
	for _, style := range []sapbtp.KeyStyle{sapbtp.SecretKey, sapbtp.X509Key} {
		raw := sub.ServiceKey(style)
		parsed, err := servicekey.Parse(raw)
		require.NoError(t, err)
		cfg := createDefaultConfig().(*Config)
		cfg.ServiceKey = configopaque.String(raw)
		cfg.ClientID = sub.ClientID
		key := parsed[0]
		secrets := []string{sub.ClientSecret}
		if style == sapbtp.X509Key {
			secrets = strings.Split(strings.TrimSpace(string(key.KeyPEM)), "\n")[1:2]
		}
		for _, value := range []any{cfg, *cfg, key, &key, parsed} {
			line, err := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()).EncodeEntry(zapcore.Entry{}, []zap.Field{zap.Any("value", value), zap.Reflect("reflected", value)})
			require.NoError(t, err)
			text := line.String() + toJSON(t, value) + fmt.Sprintf("%v %+v %#v %s", value, value, value, value)
			require.Contains(t, text, sub.ClientID)
			for _, secret := range secrets {
				require.False(t, reveals(text, secret), text)
			}
		}
	}
}

// The quarantine keeps what the backend refuses, and is the only place that holds events.
func TestAQuarantinedEventIsOnTheDiskAndNowhereElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, witness := watched(t, sapbtp.Options{Seed: 102})
		w.sink.accept = refusing(w.sim.Ledger().IDs()[0])
		w.sim.Generate(w.sub.Tenant, 300, time.Now(), time.Now().Add(3*time.Hour)) // by which it can be judged
		host := newStatusHost(w)
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(3 * time.Hour)
		seen := w.publicised(t, host)
		require.NoError(t, r.Shutdown(t.Context()))
		require.Contains(t, seen["status"], "quarantine")
		var found []string
		for _, key := range w.disk.Keys() {
			if reveals(string(w.disk.Value(key)), content) {
				found = append(found, key)
			}
		}
		require.Len(t, found, 1)
		require.Contains(t, found[0], "quarantine")
		delete(seen, "storage")
		witness.requireSecret(t, seen)
	})
}

// Neither the API's nor the token service's redirects are followed, whichever kind they are.
func TestRedirectsCarryNothingElsewhere(t *testing.T) {
	for _, kind := range []sapbtp.Kind{sapbtp.KindToken, sapbtp.KindRecords} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprint(kind, status), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := traffic(t)
					require.NoError(t, w.sim.Script(sapbtp.Rule{Match: sapbtp.Match{Kind: kind}, Fault: sapbtp.Fault{Kind: sapbtp.FaultRedirect, Status: status}}))
					r, _, err := w.start()
					require.NoError(t, err)
					time.Sleep(10 * time.Minute)
					require.Positive(t, w.sim.Ledger().Answered(kind, status))
					require.Zero(t, w.sim.Ledger().Total(sapbtp.KindOther), "nobody asks the host that the redirect names")
					for _, request := range w.sim.Ledger().Requests() {
						require.NotEqual(t, sapbtp.ElsewhereHost, request.Host)
					}
					require.Empty(t, w.sim.Ledger().Leaks())
					require.Contains(t, strings.Join(w.messages(zapcore.WarnLevel), "\n"), fmt.Sprintf("the server redirects elsewhere (HTTP %d)", status))

					require.NoError(t, w.sim.Script())
					time.Sleep(10 * time.Minute)
					require.NotEmpty(t, w.sink.delivered(), "reading goes on by itself")
					require.NoError(t, r.Shutdown(t.Context()))
				})
			})
		}
	}
}
