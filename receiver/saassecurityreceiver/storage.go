// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

// openStorage opens the receiver's own storage client and returns, beside it, the function that opens those of the spool.
func openStorage(ctx context.Context, host component.Host, id *component.ID, recv component.ID) (
	root storage.Client, named func(context.Context, string) (storage.Client, error), err error,
) {
	if id == nil {
		kept := &memory{clients: map[string]storage.Client{}}
		return durable.NewMemory(), kept.open, nil
	}
	root, err = durable.Guard(func() (storage.Client, error) {
		return durable.OpenClient(ctx, host, id, component.KindReceiver, recv)
	})
	if err != nil {
		return nil, nil, err
	}
	extension, _ := host.GetExtensions()[*id].(storage.Extension) // OpenClient has just used it
	return root, func(ctx context.Context, name string) (storage.Client, error) {
		return durable.Guard(func() (storage.Client, error) {
			return extension.GetClient(ctx, component.KindReceiver, recv, name)
		})
	}, nil
}

// memory keeps the clients of a spool that has no storage: closing them must not empty them.
type memory struct {
	mu      sync.Mutex
	clients map[string]storage.Client
}

func (m *memory) open(_ context.Context, name string) (storage.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.clients[name] == nil {
		m.clients[name] = &kept{durable.NewMemory()}
	}
	return m.clients[name], nil
}

type kept struct{ storage.Client }

func (*kept) Close(context.Context) error { return nil }
