// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/landscape"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/seen"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// deliveryGrace is how long a delivery under way may take to end when the receiver is stopped.
const deliveryGrace = 5 * time.Second

// newSubaccount puts together what reads one subaccount, and loads its progress.
func (r *auditReceiver) newSubaccount(ctx context.Context, host component.Host, key servicekey.Key) (*subaccount, error) {
	id := identity(key)
	s := &subaccount{
		id: id, cfg: r.cfg, endpoint: key.Endpoint, clientID: key.ClientID, notAfter: key.NotAfter,
		rate: r.cfg.RequestsPerSecond, size: newSizing(), delivering: newTurnstile(), status: r.status, tel: newTelemetry(ctx, r.builder, id), logger: r.logger,
		store: progressStore{client: r.storage, prefix: id + "/"},
	}
	s.notices = &notices{logger: r.logger.With(labels(s)...), last: map[string]time.Time{}}
	if key.TenantID != "" {
		s.tenant.Store(&key.TenantID)
	}
	if s.rate == 0 {
		s.rate = float64(landscape.RequestsPerSecond(key.Endpoint))
	}
	s.pace = newPacer(s.rate)
	s.mapper = record.NewMapper(record.Options{
		Body: record.Body(r.cfg.Body), IncludeOriginal: r.cfg.IncludeOriginal,
		ScopeVersion: r.set.BuildInfo.Version,
		Region:       landscape.Region(key.Endpoint), SubaccountID: key.TenantID, SubaccountName: key.Name,
	})
	s.deliverer = delivery.New(delivery.Settings{
		ID: r.set.ID, Next: r.next, Retry: r.cfg.RetryOnFailure, ObsReport: r.obs, Format: "json", Quarantine: r.quarantine, Grace: deliveryGrace,
		Logger:       r.logger.With(labels(s)...),
		OnProblem:    func(err error) { r.status.Set(s.cause("delivery"), err) },
		OnQuarantine: s.quarantined,
	})
	if err := r.connect(ctx, host, s, key); err != nil {
		return nil, err
	}
	var err error
	if s.seen, err = seen.Open(ctx, r.storage, id+"/", seen.DefaultLimit); err != nil {
		return nil, fmt.Errorf("subaccount %s: %w", id, err)
	}
	if err := s.restore(ctx); err != nil {
		return nil, fmt.Errorf("subaccount %s: %w", id, err)
	}
	return s, nil
}

// connect builds the subaccount's HTTP clients: one for the API and one for the token service, both from the same client
// settings, so that proxy and CA apply to both.
func (r *auditReceiver) connect(ctx context.Context, host component.Host, s *subaccount, key servicekey.Key) error {
	api, err := r.cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), r.set.TelemetrySettings)
	if err != nil {
		return fmt.Errorf("building the HTTP client: %w", err)
	}
	r.prepare(s, api)
	settings := auditlog.Settings{
		Endpoint: key.Endpoint, Caller: httpcall.New(api), Wait: s.pace.wait, OnRequest: s.requested,
	}
	s.authorise = func(context.Context) error { return nil }
	if !r.cfg.ClientConfig.Auth.HasValue() {
		var tokens *oauth.Source
		if tokens, err = r.tokens(ctx, host, s, key); err != nil {
			return err
		}
		settings.Tokens = learning{Source: tokens, s: s}
		s.authorise = func(ctx context.Context) error {
			_, refused := settings.Tokens.Token(ctx)
			return refused
		}
	}
	client, err := auditlog.New(settings)
	if err != nil {
		return err
	}
	s.api = client
	return nil
}

// tokens builds the source of access tokens. Headers meant for the API do not go to the token service.
func (r *auditReceiver) tokens(ctx context.Context, host component.Host, s *subaccount, key servicekey.Key) (*oauth.Source, error) {
	cfg := r.cfg.ClientConfig
	cfg.Auth = configoptional.None[configauth.Config]()
	cfg.Headers = nil
	style := oauth.SecretInForm
	if key.AuthType == servicekey.MutualTLS {
		style = oauth.MutualTLS
		if key.CertPEM != "" {
			cfg.TLS.CertPem, cfg.TLS.KeyPem = key.CertPEM, key.KeyPEM
			cfg.TLS.CertFile, cfg.TLS.KeyFile = "", ""
		}
	}
	client, err := cfg.ToClient(ctx, host.GetExtensions(), r.set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("building the HTTP client of the token service: %w", err)
	}
	r.prepare(s, client)
	return oauth.New(oauth.Settings{
		TokenURL: key.TokenURL, ClientID: key.ClientID, Secret: r.cfg.secretOf(key), Style: style,
		Caller: httpcall.New(client), Logger: r.logger, OnRefresh: s.refreshed,
	}), nil
}

// prepare takes a client into the subaccount's care. Tests put their own transport under it.
func (r *auditReceiver) prepare(s *subaccount, client *http.Client) {
	if r.transport != nil {
		client.Transport = r.transport
	}
	s.clients = append(s.clients, client)
}

// learning hands out tokens and takes the subaccount's id from them, where no carrier of the credentials says it.
type learning struct {
	*oauth.Source
	s *subaccount
}

func (l learning) Token(ctx context.Context) (oauth.Token, error) {
	token, err := l.Source.Token(ctx)
	if err == nil && l.s.tenant.Load() == nil {
		if zone := token.Claim("zid"); zone != "" {
			l.s.tenant.Store(&zone)
		}
	}
	return token, err
}

// identity names the subaccount in storage and telemetry. It must not change when credentials do: the tenant, or where no
// carrier says it the subdomain of the token service, which is the same for secrets and certificates.
func identity(key servicekey.Key) string {
	if key.TenantID != "" {
		return key.TenantID
	}
	for _, raw := range []string{key.TokenURL, key.Endpoint} {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			host := strings.Replace(u.Host, ".authentication.cert.", ".authentication.", 1)
			return host + strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/oauth/token")
		}
	}
	return "subaccount"
}

// quarantined raises the status: somebody has to look at what the backend refuses.
func (s *subaccount) quarantined(n int) {
	s.tel.quarantined(n)
	s.status.Set(s.cause("quarantine"), errQuarantine)
}

// readFrom is where reading begins.
func (s *subaccount) readFrom() time.Time { return time.Unix(s.progress.Passes[0].Watermark, 0).UTC() }

// shutdown waits for fetches that were started ahead and gives connections back.
func (s *subaccount) shutdown() {
	s.fetches.Wait()
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}
