// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
	"github.com/otelcol-audit/otelcol-audit/internal/status"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
)

// closeGrace is how long after its deadline Shutdown still waits for the storage to close.
const closeGrace = time.Second

// term is the time in which this instance reads: from Start to Shutdown, or while it leads. It owns what the subaccounts
// share.
type term struct {
	*auditReceiver
	host   component.Host
	status *status.Scope // what is wrong in this term ends with it, while the receiver's own status goes on

	storage    storage.Client
	quarantine *quarantine.Store
	clients    *clients
	pages      gate
	names      *names
	watcher    *keyfiles.Watcher // nil unless service_keys

	reading context.Context // ends when the term does
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu          sync.Mutex
	subaccounts map[string]*subaccount // by id
	problems    map[string]string      // what the status says of keys and of subaccounts that cannot be read, by cause; owned by start, then by the watcher
}

func newTerm(r *auditReceiver, host component.Host) *term {
	return &term{
		auditReceiver: r, host: host, status: r.status.Scope(), cancel: func() {}, pages: newGate(maxPages),
		subaccounts: map[string]*subaccount{}, problems: map[string]string{},
	}
}

func (t *term) start(ctx context.Context) (err error) {
	t.storage, err = durable.Guard(func() (storage.Client, error) {
		return durable.OpenClient(ctx, t.host, t.cfg.StorageID, component.KindReceiver, t.set.ID)
	})
	if err != nil {
		return err
	}
	t.names = newNames(t.storage, t.logger)
	err = t.openQuarantine(ctx)
	if err != nil {
		return err
	}
	if t.clients, err = t.newClients(ctx, t.host); err != nil {
		return err
	}
	sources, err := t.sources() //nolint:contextcheck // what it reads from storage it reads again later, when Start's context is over
	if err != nil {
		return err
	}
	// Start's context may end when Start returns.
	t.reading, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, source := range sources {
		_, err := t.add(ctx, source)
		if t.watcher != nil && errors.Is(err, errCredentials) {
			continue // no reason not to read the others; the watcher tries again, and reports it
		}
		if err != nil {
			return fmt.Errorf("subaccount %s: %w", source.ID, err)
		}
	}
	t.runAll(t.list()) //nolint:contextcheck // lasts longer than Start
	t.running.Go(func() { t.offerAgain(t.reading) })
	if t.watcher != nil {
		t.running.Go(func() { _ = t.watcher.Run(t.reading, t.follow) }) // its only error is that the term has ended
	}
	return nil
}

// stop ends reading, lets a delivery that is under way end, and closes the storage.
func (t *term) stop(ctx context.Context) error {
	t.cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		t.running.Wait()
		for _, s := range t.list() {
			s.background.Wait()
		}
	}()
	var err error
	select {
	case <-stopped:
	case <-ctx.Done():
		err = fmt.Errorf("shutting down before a delivery ended, its page may be repeated: %w", ctx.Err())
	}
	t.status.Close()
	for _, s := range t.list() {
		s.connection.Load().close()
	}
	if t.clients != nil {
		t.clients.close()
	}
	if t.storage != nil {
		err = errors.Join(err, durable.CloseWithin(ctx, closeGrace, t.storage.Close))
	}
	return err
}

// add loads a subaccount's progress, without reading it yet.
func (t *term) add(ctx context.Context, source keyfiles.Source) (*subaccount, error) {
	at, err := t.place(ctx, source)
	if err != nil {
		return nil, err
	}
	s, err := t.newSubaccount(ctx, source, at)
	if err != nil {
		return nil, err
	}
	if err := s.restore(ctx, at); err != nil {
		return nil, err
	}
	if err := t.remember(ctx, at); err != nil {
		return nil, err
	}
	t.bequeath(s, source)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subaccounts[s.id] = s
	return s, nil
}

// runAll reads subaccounts that begin together. Their polls are spread over the interval, and stay so.
func (t *term) runAll(added []*subaccount) {
	for i, s := range added {
		t.run(s, pollEvery(t.cfg)*time.Duration(i)/time.Duration(len(added)))
	}
}

// run reads a subaccount until the term ends or the subaccount's keys vanish. The first poll comes after a delay.
func (t *term) run(s *subaccount, delay time.Duration) {
	ctx, cancel := context.WithCancel(t.reading)
	s.cancel = cancel
	t.logger.Info("Reading the audit log", append(labels(s),
		zap.String("endpoint", s.connection.Load().endpoint), zap.Time("from", s.readFrom()),
		zap.Float64("requests_per_second", s.rate))...)
	t.running.Go(func() {
		defer close(s.left)
		defer cancel()
		if sleep(ctx, delay) == nil || delay == 0 {
			s.run(ctx)
		}
	})
}

func (t *term) list() []*subaccount {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]*subaccount, 0, len(t.subaccounts))
	for _, s := range t.subaccounts {
		out = append(out, s)
	}
	return out
}
