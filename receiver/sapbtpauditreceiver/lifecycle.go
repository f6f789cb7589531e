// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
	"github.com/otelcol-audit/otelcol-audit/internal/status"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// auditReceiver owns what the subaccounts share: storage, telemetry, status and their lifetime.
type auditReceiver struct {
	set     receiver.Settings
	cfg     *Config
	next    consumer.Logs
	obs     *receiverhelper.ObsReport
	builder *metadata.TelemetryBuilder
	status  *status.Reporter
	logger  *zap.Logger

	transport http.RoundTripper // replaces the network in tests; nil otherwise

	storage    storage.Client
	quarantine *quarantine.Store

	stop    context.CancelFunc
	running sync.WaitGroup

	mu          sync.Mutex
	subaccounts []*subaccount
}

func newAuditReceiver(set receiver.Settings, cfg *Config, next consumer.Logs) (*auditReceiver, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set, LongLivedCtx: true,
	})
	if err != nil {
		return nil, err
	}
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &auditReceiver{
		set: set, cfg: cfg, next: next, obs: obs, builder: builder, status: status.New(), logger: set.Logger,
		stop: func() {},
	}, nil
}

// Start opens the storage, loads each subaccount's progress and begins to read. It fails on what only the operator can mend
// (configuration, storage) and never because the API cannot be reached.
func (r *auditReceiver) Start(ctx context.Context, host component.Host) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Shutdown(ctx))
		}
	}()
	if r.storage, err = durable.OpenClient(ctx, host, r.cfg.StorageID, component.KindReceiver, r.set.ID); err != nil {
		return err
	}
	if r.cfg.StorageID == nil {
		r.logger.Warn("No storage is configured: after a restart the receiver begins anew at initial_lookback, so events of the " +
			"time in between may be missing or repeated; set storage to a storage extension such as file_storage")
	}
	if r.cfg.ClientConfig.TLS.InsecureSkipVerify {
		r.logger.Warn("tls.insecure_skip_verify is set: the identity of the servers is not checked, credentials may go to anyone")
	}
	if r.quarantine, err = quarantine.Open(ctx, r.storage, quarantine.Limits{}); err != nil {
		return fmt.Errorf("opening the quarantine: %w", err)
	}
	sources, err := r.sources()
	if err != nil {
		return err
	}
	for _, source := range sources {
		s, err := r.newSubaccount(ctx, host, source)
		if err != nil {
			return err
		}
		r.subaccounts = append(r.subaccounts, s)
	}
	if err := observe(r.builder, r.list); err != nil {
		return err
	}
	r.status.Start(host)
	// Start's context may end when Start returns.
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	for _, s := range r.list() {
		r.logger.Info("Reading the audit log", append(labels(s),
			zap.String("endpoint", s.endpoint), zap.Time("from", s.readFrom()), zap.Float64("requests_per_second", s.rate))...)
		r.running.Go(func() { s.run(reading) })
	}
	return nil
}

// Shutdown stops reading, lets a delivery that is under way end, and closes the storage, so that a new instance with the
// same ID can start at once. It returns when ctx ends, with ctx's error, if that is earlier.
func (r *auditReceiver) Shutdown(ctx context.Context) error {
	r.stop()
	r.status.Stop()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.running.Wait()
		for _, s := range r.list() {
			s.shutdown()
		}
	}()
	var err error
	select {
	case <-stopped:
	case <-ctx.Done():
		err = fmt.Errorf("shutting down before a delivery ended, its page may be repeated: %w", ctx.Err())
	}
	r.builder.Shutdown()
	if r.storage == nil {
		return err
	}
	client := r.storage
	r.storage = nil
	return errors.Join(err, client.Close(context.WithoutCancel(ctx)))
}

func (r *auditReceiver) list() []*subaccount {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.subaccounts
}

// sources are the credentials of all subaccounts.
func (r *auditReceiver) sources() ([]servicekey.Key, error) {
	if r.cfg.ClientConfig.Auth.HasValue() {
		// The authenticator extension adds the token; the receiver knows no more than the endpoint.
		return []servicekey.Key{{Endpoint: r.cfg.ClientConfig.Endpoint}}, nil
	}
	return r.cfg.credentials()
}
