// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

const (
	scopeLogAccess = "api_access"

	// tokenLifetime is assumed of a token that does not say its own; they live about two hours.
	tokenLifetime = time.Hour
)

// network is what tests put in place of the network, one transport for reads and one for tokens.
type network struct{ reads, tokens http.RoundTripper }

// assemble opens everything an engine works on. The function it returns closes that again.
func (r *auditReceiver) assemble(ctx context.Context, host component.Host) (_ *engine, _ func(context.Context) error, err error) {
	var opened []func(context.Context) error
	closeAll := func(ctx context.Context) error {
		var errs []error
		for _, c := range slices.Backward(opened) {
			errs = append(errs, c(ctx))
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(context.WithoutCancel(ctx)))
		}
	}()

	e := &engine{
		cfg: r.cfg, tel: r.tel, status: r.status.Scope(), lasting: r.status, logger: r.logger, pace: newPace(r.cfg.maxOpen()),
		mapping: newMapping(r.cfg, r.set.ID.String(), r.set.BuildInfo.Version), suspect: make(chan struct{}, 1), asides: newAsides(),
	}
	e.clock = newClock(r.local)
	keys, err := r.cfg.keyring()
	if err != nil {
		return nil, nil, err
	}
	root, named, err := openStorage(ctx, host, r.cfg.StorageID, r.set.ID)
	if err != nil {
		return nil, nil, err
	}
	opened = append(opened, root.Close)
	err = e.openQuarantine(ctx, root)
	if err != nil {
		return nil, nil, err
	}
	var open int
	if e.reading, open, err = openReadingLog(ctx, root, e.clock.now()); err != nil {
		return nil, nil, err
	}
	e.spool, err = spool.Open(ctx, spool.Settings{
		Root: root, OpenClient: named, MaxBytes: int64(r.cfg.Spool.MaxSizeMiB) << 20, Keys: keys, Logger: r.logger,
		OnRootLost: func(ctx context.Context) error {
			e.logger.Error("The receiver's own file in the storage is gone, though its spool is there, so this is no first start: what was in the " +
				"quarantine, which reads the last run left open and until when was read is lost, unless the storage kept a backup")
			open, err = e.reading.forget(ctx)
			return err
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("opening the spool: %w", err)
	}
	opened = append(opened, e.spool.Close)
	idle, err := r.connect(ctx, host, e)
	if err != nil {
		return nil, nil, err
	}
	opened = append(opened, idle)
	e.consumer = &graceful{next: r.next}
	e.deliverer = delivery.New(delivery.Settings{
		ID: r.set.ID, Next: e.consumer, Retry: r.cfg.RetryOnFailure, ObsReport: r.obs, Format: "json", Quarantine: e.quarantine, Logger: r.logger,
		Crowded:      func() bool { return e.spool.Stats().Entries > workers },
		OnProblem:    func(err error) { e.status.Set(causeDelivery, err) },
		OnQuarantine: e.quarantined,
	})
	if err := e.takeStock(ctx, open); err != nil {
		return nil, nil, err
	}
	return e, closeAll, nil
}

// takeStock reports what the last run left, among it reads that may be open.
func (e *engine) takeStock(ctx context.Context, open int) error {
	e.reportSpool()
	if e.reading.progress().Forgotten {
		e.logger.Error("The record of what the last run had read is damaged or lost: as many reads are counted as can have been open, " +
			"and a gap record will announce what may be missing")
	}
	if open == 0 {
		return nil
	}
	e.tel.unknown(ctx, "unclean_stop", int64(open))
	e.logger.Warn("The last run ended without a shutdown while reads may have been open; each can have cost up to 100 events",
		zap.Int("reads", open))
	return e.reading.clear(ctx)
}

// connect builds the HTTP clients, one for reads and one for tokens, from the same settings, so that proxy and CA apply to
// both. It returns what gives their connections back.
func (r *auditReceiver) connect(ctx context.Context, host component.Host, e *engine) (func(context.Context) error, error) {
	reads := r.cfg.ClientConfig
	// net/http repeats a GET by itself when a reused connection dies before the first byte of the reply: the first one's
	// events would be gone unseen. Without reuse there is no repetition, and HTTP/2 always reuses.
	reads.DisableKeepAlives = true //nolint:staticcheck // the other way, an absent Keepalive, means the default
	reads.ForceAttemptHTTP2 = false
	reads.HTTP2ReadIdleTimeout = 0
	reader, closeReads, err := httpcall.NewClient(ctx, reads, host, r.set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("building the HTTP client: %w", err)
	}
	if r.network != nil {
		reader.Transport = r.network.reads
	}
	agent := httpcall.WithUserAgent(httpcall.UserAgent(r.cfg.ClientConfig, r.set.BuildInfo))
	e.api = &api{
		endpoint: r.cfg.ClientConfig.Endpoint, clock: e.clock,
		caller: httpcall.New(reader, agent, httpcall.WithMaxBody(r.cfg.maxBody())),
	}
	if r.cfg.ClientConfig.Auth.HasValue() {
		return closing(closeReads), nil // the authenticator extension adds the token
	}
	settings := r.cfg.ClientConfig
	settings.Auth = configoptional.None[configauth.Config]()
	settings.Headers = nil // they are for the API
	tokens, closeTokens, err := httpcall.NewClient(ctx, settings, host, r.set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("building the HTTP client of the token service: %w", err)
	}
	if r.network != nil {
		tokens.Transport = r.network.tokens
	}
	e.api.tokens = oauth.New(oauth.Settings{
		TokenURL: r.cfg.tokenURL(), ClientID: r.cfg.ClientID, Secret: r.cfg.secret, Style: oauth.SecretInHeader,
		Params: url.Values{"scope": {scopeLogAccess}}, Caller: httpcall.New(tokens, agent), DefaultLifetime: tokenLifetime,
		Logger: r.logger, OnRefresh: r.tel.token,
	})
	return closing(closeReads, closeTokens), nil
}

func closing(all ...func()) func(context.Context) error {
	return func(context.Context) error {
		for _, done := range all {
			done()
		}
		return nil
	}
}
