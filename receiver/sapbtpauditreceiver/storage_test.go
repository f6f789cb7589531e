// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
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
