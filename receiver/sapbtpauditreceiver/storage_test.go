// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// panicking is a storage whose file is damaged: the library behind file_storage answers that with a panic.
type panicking struct {
	*crashtest.Extension
	damaged atomic.Bool
}

func (p *panicking) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := p.Extension.GetClient(ctx, kind, id, name)
	return &panickingClient{client, p}, err
}

type panickingClient struct {
	storage.Client
	storage *panicking
}

func (c *panickingClient) Get(ctx context.Context, key string) ([]byte, error) {
	c.storage.check()
	return c.Client.Get(ctx, key)
}

func (c *panickingClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	c.storage.check()
	return c.Client.Batch(ctx, ops...)
}

func (p *panicking) check() {
	if p.damaged.Load() {
		panic("page 3: unexpected type")
	}
}

func TestADamagedStorageFileDoesNotTakeDownTheCollector(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		damaged := &panicking{Extension: crashtest.NewExtension(w.disk)}
		damaged.damaged.Store(true)
		host := crashtest.NewHost(damaged.Extension)
		host.GetExtensions()[crashtest.StorageID] = damaged
		_, err := w.startOn(host)
		require.ErrorContains(t, err, "the storage is damaged")

		damaged.damaged.Store(false)
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		damaged.damaged.Store(true)
		time.Sleep(time.Hour)
		lines := w.logs.FilterMessageSnippet("Reading the audit log failed").All()
		require.NotEmpty(t, lines)
		require.Contains(t, lines[0].ContextMap()["error"], "the storage is damaged")
		damaged.damaged.Store(false)
		time.Sleep(time.Hour)
		require.NoError(t, r.Shutdown(t.Context()))
		w.requireExactlyOnce(sapbtp.VisibleBy(time.Now().Add(-5 * time.Minute)))
	})
}

// In real time: a storage that hangs holds a mutex, for which virtual time does not wait.
func TestAStorageThatHangsDoesNotHoldUpShutdown(t *testing.T) {
	w := newWorld(t, sapbtp.Options{Seed: 96}, func(c *Config) { c.PollInterval = time.Second })
	now := time.Now()
	w.sim.Generate(w.sub.Tenant, 10, now.Add(-time.Hour), now)
	stuck := &hanging{Extension: crashtest.NewExtension(w.disk), hangs: make(chan struct{}, 1), works: make(chan struct{})}
	host := crashtest.NewHost(stuck.Extension)
	host.GetExtensions()[crashtest.StorageID] = stuck
	r, err := w.startOn(host)
	require.NoError(t, err)
	stuck.stuck.Store(true)
	select {
	case <-stuck.hangs:
	case <-time.After(longWait):
		require.Fail(t, "nothing is saved")
	}
	require.ErrorContains(t, crashtest.HurriedShutdown(t.Context(), r.Shutdown), "the storage does not answer")
	close(stuck.works)
	require.Eventually(t, stuck.Released, longWait, time.Millisecond, "it is closed when it answers")
}

// hanging is a storage whose disk does not answer any more once it is stuck.
type hanging struct {
	*crashtest.Extension
	stuck        atomic.Bool
	hangs, works chan struct{}
}

func (h *hanging) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := h.Extension.GetClient(ctx, kind, id, name)
	return &hangingClient{Client: client, storage: h}, err
}

type hangingClient struct {
	storage.Client
	storage *hanging
	mu      sync.Mutex
}

func (c *hangingClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.storage.stuck.Load() && slices.ContainsFunc(ops, func(op *storage.Operation) bool { return op.Type != storage.Get }) {
		select {
		case c.storage.hangs <- struct{}{}:
		default:
		}
		<-c.storage.works
	}
	return c.Client.Batch(ctx, ops...)
}

func (c *hangingClient) Close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Client.Close(ctx)
}
