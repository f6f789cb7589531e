// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/leader"
	"github.com/otelcol-audit/otelcol-audit/internal/status"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/metadata"
)

// auditReceiver is the component: what lives from its creation to its Shutdown. What reads and delivers is an engine.
type auditReceiver struct {
	set    receiver.Settings
	cfg    *Config
	next   consumer.Logs
	obs    *receiverhelper.ObsReport
	tel    *telemetry
	status *status.Reporter
	logger *zap.Logger

	network *network         // replaces the network in tests; nil otherwise
	local   func() time.Time // replaces the local clock in tests; nil otherwise

	mu        sync.Mutex
	current   *engine
	close     func(context.Context) error // of what the engine works on
	candidate *leader.Candidate           // nil without a leader elector
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
		set: set, cfg: cfg, next: next, obs: obs, tel: &telemetry{builder}, status: status.New(), logger: set.Logger,
	}, nil
}

// Start opens the storage and begins to read and to deliver. It fails on what only the operator can mend (configuration,
// storage, keys of the spool) and never because the API cannot be reached. No request is made before it returns.
func (r *auditReceiver) Start(ctx context.Context, host component.Host) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Shutdown(ctx))
		}
	}()
	if r.cfg.StorageID == nil {
		r.logger.Warn("No storage is configured: the spool is in memory, and what it holds is lost with the process; " +
			"set storage to a storage extension such as file_storage")
	}
	if r.cfg.ClientConfig.TLS.InsecureSkipVerify {
		r.logger.Warn("tls.insecure_skip_verify is set: the identity of the servers is not checked, credentials may go to anyone")
	}
	err = r.tel.observe(r.engine)
	if err != nil {
		return err
	}
	r.status.Start(host)
	begin := func(ctx context.Context) error { return r.begin(ctx, host) }
	if r.cfg.LeaderElectorID == nil {
		return begin(ctx)
	}
	r.candidate, err = leader.Stand(ctx, host, *r.cfg.LeaderElectorID, leader.Term{
		Begin: begin, End: r.end, OnProblem: func(err error) { r.status.Set(causeTerm, err) }, Logger: r.logger,
	})
	return err
}

// Shutdown ends reading and delivery and closes the storage, so that a new instance with the same ID can start at once. A read
// in flight is waited for and spooled, at most until ctx ends.
func (r *auditReceiver) Shutdown(ctx context.Context) error {
	r.status.Stop()
	var err error
	if r.candidate != nil {
		err = r.candidate.Withdraw(ctx)
		r.candidate = nil
	}
	err = errors.Join(err, r.end(ctx))
	r.tel.builder.Shutdown()
	return err
}

// begin starts an engine.
func (r *auditReceiver) begin(ctx context.Context, host component.Host) error {
	e, closeAll, err := r.assemble(ctx, host)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.current, r.close = e, closeAll
	r.mu.Unlock()
	left := e.spool.Stats()
	r.logger.Info("Reading log events", zap.String("endpoint", r.cfg.ClientConfig.Endpoint),
		zap.Int("replies_in_spool", left.Entries), zap.Int64("bytes_in_spool", left.Bytes), zap.Int("max_readers", r.cfg.maxOpen()))
	e.run(ctx)
	return nil
}

// end stops the engine, if there is one.
func (r *auditReceiver) end(ctx context.Context) error {
	r.mu.Lock()
	e, closeAll := r.current, r.close
	r.current, r.close = nil, nil
	r.mu.Unlock()
	if e == nil {
		return nil
	}
	defer e.status.Close()
	return errors.Join(e.stop(ctx), durable.CloseWithin(ctx, lastGrace, closeAll))
}

func (r *auditReceiver) engine() *engine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}
