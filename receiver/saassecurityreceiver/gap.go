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
	kindGap  = "gap"
	eventGap = "saas_security.gap"
	gapRoom  = 4096

	// gapStep is how far a gap grows between its records while reading goes on without catching up.
	gapStep = 10 * time.Minute
)

// Why events may have expired unread.
const (
	gapExpired = "expired" // nothing was read
	gapBehind  = "behind"  // reading did not keep up
	gapUnknown = "unknown" // nobody knows what was read
)

// gap is a time whose events may have expired.
type gap struct {
	From   time.Time `json:"from,omitzero"` // zero: not known
	To     time.Time `json:"to"`
	Reason string    `json:"reason,omitempty"`
}

func (g gap) length() time.Duration {
	if g.From.IsZero() {
		return 0
	}
	return g.To.Sub(g.From)
}

// says is the gap in words, without its limits.
func (g gap) says() string {
	switch g.Reason {
	case gapBehind:
		return "reading was behind for longer than the hour for which the vendor keeps events"
	case gapUnknown:
		return "the record of what was read until when was damaged or lost"
	default:
		return "nothing was read within the hour for which the vendor keeps events"
	}
}

// gap returns the time whose events may be gone at now, as far as it was not announced yet. While reading is behind and goes
// on, a gap is told of in steps.
func (p progress) gap(now time.Time, caughtUp bool) (g gap, due bool) {
	g = gap{From: later(p.CaughtUpAt, p.Announced).UTC().Truncate(time.Second), To: now.Add(time.Second - 1 - expiry).UTC().Truncate(time.Second)}
	switch {
	case p.Forgotten:
		return gap{To: g.To, Reason: gapUnknown}, true
	case p.ReadAt.IsZero(): // nobody knows since when there are events
		return gap{}, false
	case now.Sub(p.ReadAt) > expiry:
		g.Reason = gapExpired
		return g, g.length() > 0
	}
	g.Reason = gapBehind
	return g, g.length() >= gapStep || (caughtUp && g.length() > 0)
}

// announceGap says in the stream, as a metric and in the log which events may have expired unread, in this run or before it. An
// audit trail must show its own holes. It reports false if the record could not be stored, so that the next reply tries again.
func (e *engine) announceGap(ctx context.Context, now time.Time, caughtUp bool) bool {
	g, due := e.reading.progress().gap(now, caughtUp)
	if !due {
		return true
	}
	// The last reply at Shutdown comes when ctx has ended.
	if err := e.spoolGap(context.WithoutCancel(ctx), g); err != nil {
		e.lasting.Set(causeGap, errGapUnsaved)
		e.logger.Error("The gap record could not be stored and is tried again after the next read", zap.Error(err))
		return false
	}
	e.reading.announced(g.To)
	e.tel.gap(ctx, max(g.length(), time.Second)) // one of unknown length must show
	e.lasting.Set(causeGap, errGap)
	e.logger.Error("Events may have expired unread; a gap record announces what may be missing",
		zap.String("because", g.says()), zap.Time("from", g.From), zap.Time("to", g.To))
	return true
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
	g := gap{Reason: gapExpired}
	_ = json.Unmarshal(entry.Body, &g) // written by spoolGap and protected by the spool's checksum
	end := g.To.Format(time.RFC3339)
	record := m.own(logs, eventGap, uid(entry, 0), g.To)
	record.SetSeverityNumber(plog.SeverityNumberError)
	record.SetSeverityText("ERROR")
	attrs := record.Attributes()
	attrs.PutStr("saas_security.gap.to", end)
	attrs.PutStr("saas_security.gap.reason", g.Reason)
	if g.From.IsZero() {
		record.Body().SetStr(fmt.Sprintf("Events before %s may be missing: %s", end, g.says()))
		return
	}
	start := g.From.Format(time.RFC3339)
	record.Body().SetStr(fmt.Sprintf("Events between %s and %s may be missing: %s", start, end, g.says()))
	attrs.PutStr("saas_security.gap.from", start)
	attrs.PutInt("saas_security.gap.seconds", int64(g.length()/time.Second))
}
