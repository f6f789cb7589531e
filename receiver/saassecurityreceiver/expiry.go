// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

const (
	// riskAfter is when the danger of expiry becomes a status: 40 minutes before the first event is gone.
	riskAfter = 20 * time.Minute
	riskCheck = 15 * time.Second

	kindGap  = "gap"
	eventGap = "saas_security.gap"
	gapRoom  = 4096
)

// expiryRisk is how old the oldest unread event can be, as far as the API lets one know: after a reply that was not full
// little or nothing waits.
func (e *engine) expiryRisk() time.Duration {
	return time.Since(time.Unix(0, e.caughtUp.Load()))
}

// watchExpiry raises the status when unread events come near to their expiry, whatever keeps reading from catching up.
func (e *engine) watchExpiry(ctx context.Context) {
	warned := false
	for sleep(ctx, riskCheck) == nil {
		e.reportLost()
		risk := e.expiryRisk()
		switch {
		case risk < riskAfter:
			e.status.Set(causeExpiry, nil)
			warned = false
			continue
		case risk < expiry:
			e.status.Set(causeExpiry, errExpiryNear)
		default:
			e.status.Set(causeExpiry, errExpired)
		}
		if !warned {
			warned = true
			e.logger.Error("Reading has not caught up for long: events that are not read within an hour are deleted by the vendor",
				zap.Stringer("behind", risk.Round(time.Second)))
		}
	}
}

// gap is a time whose events may have expired.
type gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// announceGap says in the stream, as a metric and in the log that nothing was read for longer than the vendor keeps events, in
// this run or before it. An audit trail must show its own holes.
func (e *engine) announceGap(ctx context.Context, now time.Time) {
	last := e.reading.lastAnswer()
	if last.IsZero() || now.Sub(last) <= expiry {
		return
	}
	g := gap{From: last.UTC().Truncate(time.Second), To: now.Add(-expiry).UTC().Truncate(time.Second)}
	e.tel.gap(ctx, g.To.Sub(g.From))
	e.status.Set(causeGap, errGap)
	e.logger.Error("Nothing was read for longer than the vendor keeps events; a gap record announces what may be missing",
		zap.Time("from", g.From), zap.Time("to", g.To))
	if err := e.spoolGap(ctx, g); err != nil {
		e.logger.Error("The gap record could not be stored", zap.Error(err))
	}
}

func (e *engine) spoolGap(ctx context.Context, g gap) error {
	body, err := json.Marshal(g)
	if err != nil {
		return err
	}
	room, err := e.spool.Reserve(ctx, gapRoom)
	if err != nil {
		return err
	}
	defer room.Release()
	_, err = room.Commit(ctx, spool.Batch{ReceivedAt: time.Now(), Meta: map[string]string{metaKind: kindGap}, Body: body})
	return err
}

func (m *mapping) appendGap(logs plog.Logs, entry *spool.Entry) {
	var g gap
	_ = json.Unmarshal(entry.Body, &g) // written by spoolGap and protected by the spool's checksum
	start, end := g.From.Format(time.RFC3339), g.To.Format(time.RFC3339)
	record := m.own(logs, eventGap, uid(entry, 0), g.To)
	record.SetSeverityNumber(plog.SeverityNumberError)
	record.SetSeverityText("ERROR")
	record.Body().SetStr(fmt.Sprintf("Events between %s and %s may be missing: they were not read within the hour for which the vendor keeps them", start, end))
	attrs := record.Attributes()
	attrs.PutStr("saas_security.gap.from", start)
	attrs.PutStr("saas_security.gap.to", end)
	attrs.PutStr("saas_security.gap.reason", "expired")
	attrs.PutInt("saas_security.gap.seconds", int64(g.To.Sub(g.From)/time.Second))
}
