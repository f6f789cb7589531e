// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
	"github.com/otelcol-audit/otelcol-audit/internal/reoffer"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

// Why an entry of the spool is in the quarantine, as it is stored there.
const (
	reasonCorrupt    = "corrupt"
	reasonUnfinished = "unfinished"
)

// openQuarantine opens the quarantine and tells what is in it.
func (e *engine) openQuarantine(ctx context.Context, root storage.Client) (err error) {
	if e.quarantine, err = quarantine.Open(ctx, root, quarantine.Limits{}); err != nil {
		return err
	}
	stats := e.quarantine.Stats()
	if stats.Entries > 0 {
		e.logger.Warn("The quarantine holds events that the backend refused for good, or damaged entries of the spool; events are offered again",
			zap.Int("entries", stats.Entries))
		e.lasting.Set(causeQuarantine, errKept)
	}
	if err := stats.Damage(); err != nil {
		e.logger.Error("The quarantine was damaged", zap.Error(err))
		e.lasting.Set(causeQuarantineDamage, err)
	}
	return nil
}

// offerAgain offers what is in the quarantine to the next consumer, beside the spool.
func (e *engine) offerAgain(ctx context.Context) {
	reoffer.Run(ctx, reoffer.Settings{
		Store: e.quarantine, Deliverer: e.deliverer, Interval: e.cfg.Quarantine.RetryInterval, Logger: e.logger,
		OnAccepted: func(_ quarantine.Entry, logs plog.Logs) { e.tel.delivered(ctx, countEvents(logs)) },
		OnChange:   e.reportQuarantine,
	})
}

// countEvents counts the records that are events of the vendor.
func countEvents(logs plog.Logs) (events int) {
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if name := lr.EventName(); name != eventGap && name != eventUnparsed {
					events++
				}
			}
		}
	}
	return events
}

// quarantined counts refused records and raises the status: somebody has to look at what the next component refuses.
func (e *engine) quarantined(n int) {
	e.tel.quarantined(n)
	e.lasting.Set(causeQuarantine, errRefused)
}

// reportQuarantine takes the quarantine out of the status when nothing is in it any more.
func (e *engine) reportQuarantine() {
	stats := e.quarantine.Stats()
	e.lasting.Set(causeQuarantineDamage, stats.Damage())
	if stats.Entries > 0 {
		return
	}
	e.lasting.Set(causeQuarantine, nil)
	if e.quarantine.Stats().Entries > 0 { // something was put into it meanwhile, and its cause perhaps cleared
		e.lasting.Set(causeQuarantine, errKept)
	}
}

// putAside moves an entry that is damaged, or that ends the process, into the quarantine, as it is stored. If that is full, the
// entry stays where it is.
func (e *engine) putAside(ctx context.Context, entry *spool.Entry, why error) error {
	reason, count := reasonCorrupt, e.tel.corrupt
	if why == errUnfinished { //nolint:errorlint // one of two of ours
		reason, count = reasonUnfinished, e.tel.unfinished
	}
	err := e.quarantine.Put(ctx, quarantine.Entry{
		Reason: reason, Source: e.mapping.source, Data: entry.Raw, Format: quarantine.FormatRaw,
	})
	if err != nil {
		e.lasting.Set(causeQuarantine, err)
		e.logger.Error("An entry of the spool cannot be put into the quarantine; it stays in the spool",
			zap.NamedError("because", why), zap.Error(err))
		return err
	}
	count(ctx)
	e.lasting.Set(causeQuarantine, why)
	e.logger.Error("An entry of the spool was put into the quarantine as it is stored",
		zap.NamedError("because", why), zap.Uint64("entry", entry.Seq), zap.String("id", entry.ID), zap.Int("bytes", len(entry.Raw)), zap.Error(entry.Err))
	return nil
}
