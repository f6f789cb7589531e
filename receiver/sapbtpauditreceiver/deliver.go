// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/seen"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// Pauses between tries to save a checkpoint. Reading waits meanwhile: what is delivered without a checkpoint is repeated
// after a crash.
const (
	minSavePause = 200 * time.Millisecond
	maxSavePause = 10 * time.Second
)

// deliverPage hands what is new on the page to the next consumer and then saves that it did; with the window's last page
// also what that proves to be read. One page of a subaccount is delivered at a time, so that two windows that share a second
// never deliver the same event. A page whose records take much memory is delivered and saved in parts.
func (s *subaccount) deliverPage(ctx context.Context, w *window, p *page, proven sweep.Set) error {
	if err := s.delivering.enter(ctx); err != nil {
		return err
	}
	defer s.delivering.leave()

	observed := time.Now()
	for rest := newSelector(s, w, p); ; {
		chosen := rest.next(observed)
		if len(rest.records) == 0 {
			return s.deliverPart(ctx, w, chosen, s.gapsOf(w, p, proven), proven)
		}
		if err := s.deliverPart(ctx, w, chosen, nil, nil); err != nil {
			return err
		}
	}
}

// deliverPart delivers a part of a page, and the gaps that are known with its end, and saves that it did.
func (s *subaccount) deliverPart(ctx context.Context, w *window, chosen *selection, gaps []gap, proven sweep.Set) error {
	for _, g := range gaps {
		s.appendGap(chosen.logs, g.span, g.reason, chosen.observed)
	}
	if chosen.logs.LogRecordCount() > 0 {
		out, err := s.hand(ctx, chosen.logs)
		if err != nil {
			return cmp.Or(s.saveAccepted(ctx, w, chosen, out), err)
		}
		s.countDelivered(chosen.seconds, out.Quarantined, chosen.observed, w.bound)
	}
	// Only now: what could not be delivered is read again.
	s.tel.selected(chosen)
	if chosen.malformed > 0 {
		s.notices.add("malformed_record")
	}
	for _, g := range gaps {
		s.noteGap(g.span, g.reason)
	}
	return s.save(ctx, w, chosen.events, proven)
}

// gap is a hole that cannot be closed.
type gap struct {
	span   sweep.Span
	reason string
}

// gapsOf is what the end of a page shows to be missing for good.
func (s *subaccount) gapsOf(w *window, p *page, proven sweep.Set) (gaps []gap) {
	if p.broken != nil {
		gaps = append(gaps, gap{w.span, gapReason(p.broken)})
	}
	if w.records == 0 {
		for _, span := range s.deletedUnread(proven) {
			gaps = append(gaps, gap{span, reasonExpired})
		}
	}
	return gaps
}

// hand delivers the records. What is refused while others are accepted, or can
// not be told from a backend that is down, is no reason to hold up the rest: its window gives way.
func (s *subaccount) hand(ctx context.Context, logs plog.Logs) (delivery.Outcome, error) {
	out, err := s.deliverer.DeliverOutcome(ctx, logs)
	if out.Left.LogRecordCount() < logs.LogRecordCount() {
		s.accepts()
	}
	if errors.Is(err, delivery.ErrRefusedAlone) || errors.Is(err, delivery.ErrGaveUp) {
		return out, &anomaly{reason: reasonRefused, err: err}
	}
	return out, err
}

// saveAccepted stores that some records of a page were delivered, so that they are not again when it is read again.
func (s *subaccount) saveAccepted(ctx context.Context, w *window, chosen *selection, out delivery.Outcome) error {
	undelivered := map[string]struct{}{}
	for _, resource := range out.Left.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				undelivered[uidOf(record)] = struct{}{}
			}
		}
	}
	var (
		events  []seen.Event
		seconds []int64
	)
	for _, record := range chosen.records {
		if _, not := undelivered[record.uid]; !not {
			events = append(events, chosen.events[record.from:record.to]...)
			seconds = append(seconds, record.second)
		}
	}
	s.tel.selected(&selection{duplicates: chosen.taken - len(seconds)}) // the rest is read again
	if len(events) == 0 {
		return nil
	}
	s.countDelivered(seconds, out.Quarantined, chosen.observed, w.bound)
	return s.save(ctx, w, events, nil)
}

func uidOf(lr plog.LogRecord) string {
	uid, _ := lr.Attributes().Get("log.record.uid")
	return uid.AsString()
}

// newLogs is logs of the subaccount without records, and where they go.
func (s *subaccount) newLogs() (plog.Logs, plog.LogRecordSlice) {
	logs, into := s.mapper.NewLogs()
	if tenant := s.tenant.Load(); tenant != nil {
		logs.ResourceLogs().At(0).Resource().Attributes().PutStr("sap.btp.subaccount.id", *tenant)
	}
	return logs, into
}

// Reasons for which a record is left out as configured.
const (
	dropCategory = "category"
	dropOwn      = "own_event"
)

func (s *subaccount) unwanted(raw *record.Raw) string {
	if s.ofOtherCategory(raw) {
		return dropCategory
	}
	if s.cfg.DropOwnEvents && s.ownReading(raw) {
		return dropOwn
	}
	return ""
}

// ofOtherCategory reports whether the record says that it is of a category that was not asked for. Where the API filters only
// the documented ones count: one that ignores the filter gives those, and whatever else it gives may be meant.
func (s *subaccount) ofOtherCategory(raw *record.Raw) bool {
	if len(s.cfg.Categories) == 0 || raw.Category == "" || slices.Contains(s.cfg.Categories, raw.Category) {
		return false
	}
	return s.filterHere.Load() || slices.Contains(categories, raw.Category)
}

// maxAhead is how far the time of an event may lie ahead of the local clock: as far as that and SAP's may differ.
const maxAhead = 5 * 60

// countDelivered counts events, but for those in the quarantine, and notes how late they were. What was read for the first time
// while catching up says nothing about that, and an event of the future nothing at all: taken for the newest, it would hide that nothing arrives any more.
func (s *subaccount) countDelivered(seconds []int64, quarantined int, observed time.Time, bound int64) {
	live := 2*max(int64(s.cfg.PollInterval/time.Second), 1) + 60
	unread := s.progress.Behind(bound)
	newest, future := int64(0), 0
	for _, second := range seconds {
		if second > observed.Unix()+maxAhead {
			future++
			continue
		}
		newest = max(newest, min(second, observed.Unix()))
		// Queries reach a second beyond the bound; what they bring from there is early, not late.
		late := second < bound && !unread.Overlaps(sweep.Span{From: second, To: second + 1})
		if late {
			s.tel.late(s.progress.SweepAt(second, bound))
		}
		if age := observed.Unix() - second; late || age <= live {
			s.tel.lateness(age)
		}
	}
	s.tel.delivered(max(0, len(seconds)-quarantined)) // besides events there can be a gap record
	s.tel.future(future)
	if newest > s.newest.Load() {
		s.newest.Store(newest)
	}
}

// save stores what was delivered, and with the last page what is read. It does not give up: without the
// checkpoint nothing may go on.
func (s *subaccount) save(ctx context.Context, w *window, events []seen.Event, proven sweep.Set) error {
	progress := s.progress
	if len(proven) > 0 {
		progress = s.progress.Clone()
		for _, span := range proven {
			progress.Record(span, w.bound)
		}
		if w.byDate {
			s.store.marks.Proven = max(s.store.marks.Proven, w.bound)
		}
		s.confirmStart()
	}
	staged, err := w.view.Stage(events, progress.Unread())
	if err != nil {
		return err
	}
	ops := staged.Writes
	if len(proven) > 0 {
		op, err := s.store.operation(progress)
		if err != nil {
			return err
		}
		ops = append(ops, op)
	}
	// Deletions last: whatever prefix of this survives a crash, nothing that is still needed is gone.
	if err := s.commit(ctx, append(ops, staged.Deletes...)); err != nil {
		return err
	}
	staged.Commit()
	if len(proven) > 0 {
		s.store.saved()
		s.proven.Store(s.store.marks.Proven)
		s.setProgress(progress)
	}
	return nil
}

// saveProgress stores a change of the progress that no page has brought.
func (s *subaccount) saveProgress(ctx context.Context, progress sweep.Progress) error {
	op, err := s.store.operation(progress)
	if err != nil {
		return err
	}
	if err := s.commit(ctx, []*storage.Operation{op}); err != nil {
		return err
	}
	s.store.saved()
	s.setProgress(progress)
	return nil
}

// commit writes to storage until it succeeds or ctx ends.
func (s *subaccount) commit(ctx context.Context, ops []*storage.Operation) error {
	if len(ops) == 0 {
		return nil
	}
	for pause := minSavePause; ; pause = min(maxSavePause, 2*pause) {
		// What was delivered is saved even while stopping, so that a clean stop repeats nothing.
		err := s.store.client.Batch(context.WithoutCancel(ctx), ops...)
		s.tel.checkpoint(err)
		if err == nil {
			s.saves()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.cannotSave(err)
		if err := sleep(ctx, jittered(pause)); err != nil {
			return err
		}
	}
}

// cannotSave tells of a storage that does not work; a failure that goes on is one line, until it changes.
func (s *subaccount) cannotSave(err error) {
	s.status.Set(s.cause("checkpoint"), errCheckpoint)
	if text := err.Error(); text != s.unsaved {
		s.unsaved = text
		s.logger.Error("Saving the checkpoint failed; reading waits until the storage works", append(labels(s), zap.Error(err))...)
	}
}

func (s *subaccount) saves() {
	s.status.Set(s.cause("checkpoint"), nil)
	if s.unsaved != "" {
		s.unsaved = ""
		s.logger.Info("Saving the checkpoint works again", labels(s)...)
	}
}
