// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
	"github.com/otelcol-audit/otelcol-audit/internal/reoffer"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
)

const (
	causeQuarantine       = "quarantine"
	causeQuarantineDamage = "quarantine damage"
)

// openQuarantine opens the quarantine, which all subaccounts share, and tells what is in it.
func (t *term) openQuarantine(ctx context.Context) (err error) {
	if t.quarantine, err = quarantine.Open(ctx, t.storage, quarantine.Limits{}); err != nil {
		return err
	}
	stats := t.quarantine.Stats()
	if stats.Entries > 0 {
		t.logger.Warn("The quarantine holds events that the backend refused for good; they are offered again", zap.Int("events", stats.Entries))
		t.status.Set(causeQuarantine, errQuarantine)
	}
	if err := stats.Damage(); err != nil {
		t.logger.Error("The quarantine was damaged", zap.Error(err))
		t.status.Set(causeQuarantineDamage, err)
	}
	return nil
}

// offerAgain offers what is in the quarantine to the next consumer, beside the deliveries of the subaccounts.
func (t *term) offerAgain(ctx context.Context) {
	reoffer.Run(ctx, reoffer.Settings{
		Store: t.quarantine, Interval: t.cfg.Quarantine.RetryInterval, Logger: t.logger,
		Deliverer: delivery.New(delivery.Settings{
			ID: t.set.ID, Next: t.next, Retry: t.cfg.RetryOnFailure, ObsReport: t.obs, Format: "json", Grace: deliveryGrace,
			Logger: t.logger, OnProblem: func(err error) { t.status.Set("delivery", err) },
		}),
		OnAccepted: t.released,
		OnChange:   t.reportQuarantine,
	})
}

// released counts an event that has left the quarantine. It was counted as read and as quarantined before.
func (t *term) released(entry quarantine.Entry, logs plog.Logs) {
	events := 0
	for _, group := range logs.ResourceLogs().All() {
		for _, scope := range group.ScopeLogs().All() {
			for _, lr := range scope.LogRecords().All() {
				if lr.EventName() != record.EventGap {
					events++
				}
			}
		}
	}
	newTelemetry(context.Background(), t.builder, t.metricNames.of(entry.Source)).delivered(events)
}

// quarantined raises the status: somebody has to look at what the backend refuses.
func (s *subaccount) quarantined(n int) {
	s.tel.quarantined(n)
	s.status.Set(s.cause(causeQuarantine), errQuarantine)
}

// reportQuarantine takes the quarantine out of the status when nothing is in it any more.
func (t *term) reportQuarantine() {
	stats := t.quarantine.Stats()
	t.status.Set(causeQuarantineDamage, stats.Damage())
	if stats.Entries > 0 {
		return
	}
	t.status.Set(causeQuarantine, nil)
	for _, s := range t.list() {
		s.status.Set(s.cause(causeQuarantine), nil)
	}
	if t.quarantine.Stats().Entries > 0 { // something was put into it meanwhile, and its cause perhaps cleared
		t.status.Set(causeQuarantine, errQuarantine)
	}
}

// observeQuarantine registers the gauges over the quarantine that current returns at the time of a collection, nil for none.
func observeQuarantine(builder *metadata.TelemetryBuilder, current func() *quarantine.Store) error {
	gauge := func(value func(quarantine.Stats) int) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			if store := current(); store != nil {
				o.Observe(int64(value(store.Stats())))
			}
			return nil
		}
	}
	err := builder.RegisterSapBtpAuditQuarantineEntriesCallback(gauge(func(s quarantine.Stats) int { return s.Entries }))
	if err != nil {
		return err
	}
	return builder.RegisterSapBtpAuditQuarantineUnreadableCallback(gauge(func(s quarantine.Stats) int { return s.Unreadable }))
}

// quarantined is the quarantine of the term that is under way, if there is one.
func (r *auditReceiver) quarantined() *quarantine.Store {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.term == nil {
		return nil
	}
	return r.term.quarantine
}
