// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/leader"
	"github.com/otelcol-audit/otelcol-audit/internal/status"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
)

// auditReceiver owns what outlives a term: configuration, telemetry, status, and the term that is under way.
type auditReceiver struct {
	set         receiver.Settings
	cfg         *Config
	next        consumer.Logs
	obs         *receiverhelper.ObsReport
	builder     *metadata.TelemetryBuilder
	status      *status.Reporter
	metricNames *metricNames
	logger      *zap.Logger

	transport http.RoundTripper // replaces the network in tests; nil otherwise
	local     func() time.Time  // replaces the local clock in tests; nil otherwise
	candidate *leader.Candidate // nil without a leader elector

	mu   sync.Mutex
	term *term // nil while this instance does not read
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
		set: set, cfg: cfg, next: next, obs: obs, builder: builder,
		status: status.New(), metricNames: &metricNames{given: map[string]struct{}{}}, logger: set.Logger,
	}, nil
}

// Start opens the storage, loads each subaccount's progress and begins to read; with a leader elector, once this instance
// leads. It fails on what only the operator can mend (configuration, storage) and never because the API cannot be reached.
func (r *auditReceiver) Start(ctx context.Context, host component.Host) error {
	if r.cfg.StorageID == nil {
		r.logger.Warn("No storage is configured: after a restart the receiver begins anew at initial_lookback, so events of the " +
			"time in between may be missing or repeated; set storage to a storage extension such as file_storage")
	}
	if r.cfg.ClientConfig.TLS.InsecureSkipVerify {
		r.logger.Warn("tls.insecure_skip_verify is set: the identity of the servers is not checked, credentials may go to anyone")
	}
	if err := errors.Join(observe(r.builder, r.list), observeQuarantine(r.builder, r.quarantined)); err != nil {
		return err
	}
	r.status.Start(host)
	begin := func(ctx context.Context) error { return r.begin(ctx, host) }
	if r.cfg.LeaderElectorID == nil {
		return begin(ctx)
	}
	candidate, err := leader.Stand(ctx, host, *r.cfg.LeaderElectorID, leader.Term{
		Begin: begin, End: r.end, OnProblem: func(err error) { r.status.Set("leading", err) }, Logger: r.logger,
	})
	r.candidate = candidate
	return err
}

// Shutdown stops reading, lets a delivery that is under way end, and closes the storage, so that a new instance with the
// same ID can start at once. It returns when ctx ends, with ctx's error, if that is earlier.
func (r *auditReceiver) Shutdown(ctx context.Context) error {
	r.status.Stop()
	var err error
	if r.candidate != nil {
		err = r.candidate.Withdraw(ctx)
	}
	err = errors.Join(err, r.end(ctx))
	r.builder.Shutdown()
	return err
}

// begin starts a term: this instance reads.
func (r *auditReceiver) begin(ctx context.Context, host component.Host) error {
	t := newTerm(r, host)
	if err := t.start(ctx); err != nil {
		return errors.Join(err, t.stop(ctx))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.term = t
	return nil
}

// end stops the term that is under way, if there is one.
func (r *auditReceiver) end(ctx context.Context) error {
	r.mu.Lock()
	t := r.term
	r.term = nil
	r.mu.Unlock()
	if t == nil {
		return nil
	}
	return t.stop(ctx)
}

// list gives the subaccounts that are being read.
func (r *auditReceiver) list() []*subaccount {
	r.mu.Lock()
	t := r.term
	r.mu.Unlock()
	if t == nil {
		return nil
	}
	return t.list()
}
