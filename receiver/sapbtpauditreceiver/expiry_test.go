// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"crypto/tls"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// Ten short-lived certificates, each in place of the one before, while events keep coming. The token service takes one for
// expired once the next but one is in use, however long that takes; with CERTIFICATE_LIFETIME it is time that lets them expire.
func TestShortLivedCertificatesAreReplacedUnderLoad(t *testing.T) {
	t.Parallel()
	const rotations = 10
	lifetime, use := time.Hour, time.Duration(0)
	if text := os.Getenv("CERTIFICATE_LIFETIME"); text != "" {
		var err error
		lifetime, err = time.ParseDuration(text)
		require.NoError(t, err)
		use = lifetime / 2 // the rest is for a machine that is busy: from four fifths on there is a warning
	}
	w := newKeyWorld(t, 1)
	host := &healthHost{Host: fileStorage(t)}
	var issued []sapbtp.ClientCertificate
	renew := func() {
		issued = append(issued, w.sim.IssueClientCert(w.sub.Tenant, lifetime))
		w.key("key.json", w.sub.ServiceKeyWith(issued[len(issued)-1]))
	}
	renew()
	r, err := w.startOn(host)
	require.NoError(t, err)
	began := time.Now()
	w.caughtUp("by the first certificate", 0)
	for i := range rotations {
		renew()
		changed := time.Now()
		w.logged("Using changed credentials", i+1)
		w.sim.RevokeTokens(w.sub.Tenant) // the next one is asked for with the next certificate
		w.caughtUp("by the next certificate", 0)
		requireLeft(t, r, issued[i+1])
		for time.Since(changed) < use {
			w.caughtUp("while the certificate is in use", 0)
		}
		if i > 0 {
			w.sim.ExpireClientCert(issued[i-1])
		}
	}
	if use > 0 {
		require.Greater(t, time.Since(began), lifetime, "the first ones have expired")
	}
	w.finish(0)
	require.Empty(t, host.health())
	require.Empty(t, w.logs.Filter(func(e observer.LoggedEntry) bool { return e.Level >= zapcore.WarnLevel }).All())
	require.Equal(t, 1, w.logs.FilterMessage("Reading the audit log").Len(), "nothing was restarted")
}

// requireLeft checks that the gauge follows the certificate, however long it takes to look.
func requireLeft(t *testing.T, r *auditReceiver, certificate sapbtp.ClientCertificate) {
	t.Helper()
	before := time.Until(certificate.NotAfter)
	left, known := r.list()[0].expiry()
	require.True(t, known)
	require.LessOrEqual(t, left, before.Seconds())
	require.Greater(t, left, (time.Until(certificate.NotAfter) - time.Second).Seconds(), "certificates know whole seconds")
}

// expiring starts a receiver that shows a certificate, which may be exchanged. It gives what the status says a little later, and
// waits until so much of the certificate's life is left.
func (w *world) expiring(t *testing.T, certificate *sapbtp.ClientCertificate) (r *auditReceiver, says func() string, at func(left time.Duration)) {
	t.Helper()
	w.transport = w.sim.Transport(sapbtp.WithClientCertificate(func() *tls.Certificate { return &certificate.TLS }))
	host := newStatusHost(w)
	r, err := w.startOn(host)
	require.NoError(t, err)
	says = func() string {
		time.Sleep(2 * time.Minute)
		require.InDelta(t, time.Until(certificate.NotAfter).Seconds(), w.gauge(t, "credential_expiry"), 1)
		return strings.Join(host.take(), "; ")
	}
	return r, says, func(left time.Duration) { time.Sleep(time.Until(certificate.NotAfter.Add(-left))) }
}

func TestACertificateThatWillExpireIsWarnedOfInTime(t *testing.T) {
	for name, tc := range map[string]struct{ life, notice time.Duration }{
		"a day":   {24 * time.Hour, 24 * time.Hour / 5},
		"a month": {30 * 24 * time.Hour, 3 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 72})
				certificate := w.sim.IssueClientCert(w.sub.Tenant, tc.life)
				w.configure = func(c *Config) { present(c, w.sub, certificate) }
				r, says, at := w.expiring(t, &certificate)

				at(tc.notice + time.Hour)
				require.Empty(t, says())
				at(tc.notice)
				require.Contains(t, says(), "the client certificate expires at "+certificate.NotAfter.UTC().Format(time.RFC3339))
				at(tc.notice / 2)
				require.Empty(t, says(), "once is enough")
				at(0)
				require.Contains(t, says(), "the client certificate has expired at")
				require.Len(t, w.logs.FilterMessage("No credential of the subaccount lasts longer").All(), 2)

				key := r.list()[0].connection.Load().credentials[0].key
				renewed := w.sim.IssueClientCert(w.sub.Tenant, tc.life)
				certificate = renewed
				key.CertPEM, key.KeyPEM, key.NotAfter = configopaque.String(renewed.CertPEM), configopaque.String(renewed.KeyPEM), renewed.NotAfter
				r.term.follow(keyfiles.Snapshot{Sources: bySubaccount([]servicekey.Key{key})})
				require.Contains(t, says(), statusOK)
				require.NoError(t, r.Shutdown(t.Context()))
			})
		})
	}
}

func TestACertificateIsNotWarnedOfWhereAnotherCredentialLasts(t *testing.T) {
	now := time.Now()
	certificate := func(left time.Duration) *credential { return &credential{key: servicekey.Key{NotAfter: now.Add(left)}} }
	secret := &credential{}
	for name, tc := range map[string]struct {
		credentials []*credential
		warns       bool
	}{
		"expired":                      {[]*credential{certificate(-time.Hour)}, true},
		"expired, beside a newer one":  {[]*credential{certificate(-time.Hour), certificate(30 * 24 * time.Hour)}, false},
		"expired, beside a secret":     {[]*credential{certificate(-time.Hour), secret}, false},
		"two that are about to expire": {[]*credential{certificate(time.Minute), certificate(time.Hour)}, true},
		"an authenticator":             {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.warns, expiryOf(tc.credentials).problem(now) != nil)
		})
	}
}
