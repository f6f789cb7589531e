// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/landscape"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/record"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/seen"
)

// deliveryGrace is how long a delivery under way may take to end when the receiver is stopped.
const deliveryGrace = 5 * time.Second

// newSubaccount puts together what reads one subaccount.
func (t *term) newSubaccount(ctx context.Context, source keyfiles.Source, at place) (*subaccount, error) {
	key := source.Credentials[0].Key
	tenant := t.names.tenantOf(source)
	s := &subaccount{
		id: source.ID, cfg: t.cfg, clients: t.clients, pages: t.pages, readers: t.readers, recheck: t.recheck, names: t.names,
		rate: t.cfg.RequestsPerSecond, size: newSizing(), delivering: newGate(1), active: map[*window]struct{}{}, answersAtFailure: -1,
		wakeup: make(chan struct{}, 1), left: make(chan struct{}),
		status: t.status, tel: newTelemetry(ctx, t.builder, t.metricNames.of(source.ID)), logger: t.logger,
		store: progressStore{client: t.storage, prefix: at.prefix},
	}
	s.clock.local = t.local
	s.notices = &notices{logger: t.logger.With(labels(s)...), last: map[string]time.Time{}}
	if tenant != "" {
		s.tenant.Store(&tenant)
	}
	if s.rate == 0 {
		s.rate = float64(landscape.RequestsPerSecond(key.Endpoint))
	}
	s.pace = newPacer(s.rate)
	s.mapper = record.NewMapper(record.Options{
		Body: record.Body(t.cfg.Body), IncludeOriginal: t.cfg.IncludeOriginal, ScopeVersion: t.set.BuildInfo.Version,
		Region: landscape.Region(key.Endpoint), SubaccountID: tenant, SubaccountName: nameOf(source),
	})
	s.deliverer = delivery.New(delivery.Settings{
		ID: t.set.ID, Source: source.ID, Next: t.next, Retry: t.cfg.RetryOnFailure, ObsReport: t.obs, Format: "json",
		Quarantine: t.quarantine, Grace: deliveryGrace, Logger: t.logger.With(labels(s)...),
		Crowded:      func() bool { return len(t.pages) == cap(t.pages) },
		OnProblem:    func(err error) { t.status.Set(s.cause("delivery"), err) },
		OnQuarantine: s.quarantined,
	})
	now, err := s.connect(ctx, source, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCredentials, err)
	}
	s.connection.Store(now)
	if s.seen, err = seen.Open(ctx, t.storage, s.store.prefix, seen.DefaultLimit); err != nil {
		return nil, err
	}
	return s, nil
}

// nameOf is the subaccount's name for people: its identity zone, or the name of its key file.
func nameOf(source keyfiles.Source) string {
	for _, c := range source.Credentials {
		if c.Key.Name != "" {
			return c.Key.Name
		}
	}
	path := source.Credentials[0].Path
	if path == "" {
		return ""
	}
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// recheck makes the watcher look at the key files soon, as when a credential was refused.
func (t *term) recheck() {
	if t.watcher != nil {
		t.watcher.Recheck()
	}
}

// readFrom is where reading begins.
func (s *subaccount) readFrom() time.Time {
	return time.Unix(s.published.Load().Passes[0].Watermark, 0).UTC()
}
