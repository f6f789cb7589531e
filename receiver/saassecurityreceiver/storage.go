// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"fmt"
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
	root, err = guardOpen(func() (storage.Client, error) {
		return durable.OpenClient(ctx, host, id, component.KindReceiver, recv)
	})
	if err != nil {
		return nil, nil, err
	}
	extension, _ := host.GetExtensions()[*id].(storage.Extension) // OpenClient has just used it
	return root, func(ctx context.Context, name string) (storage.Client, error) {
		return guardOpen(func() (storage.Client, error) {
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

// guardOpen opens a client that turns panics into errors. The file behind file_storage has no checksums, and its library
// answers damage with a panic, which would take down the whole Collector; as an error it can be reported, and other
// components go on.
func guardOpen(open func() (storage.Client, error)) (client storage.Client, err error) {
	err = guard(func() (err error) {
		client, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	if walker, ok := client.(storage.Walker); ok {
		return &guardedWalker{guarded{client}, walker}, nil
	}
	return &guarded{client}, nil
}

func guard(call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the storage is damaged: %v", r)
		}
	}()
	return call()
}

type guarded struct{ client storage.Client }

func (g *guarded) Get(ctx context.Context, key string) (value []byte, err error) {
	err = guard(func() (err error) {
		value, err = g.client.Get(ctx, key)
		return err
	})
	return value, err
}

func (g *guarded) Set(ctx context.Context, key string, value []byte) error {
	return guard(func() error { return g.client.Set(ctx, key, value) })
}

func (g *guarded) Delete(ctx context.Context, key string) error {
	return guard(func() error { return g.client.Delete(ctx, key) })
}

func (g *guarded) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return guard(func() error { return g.client.Batch(ctx, ops...) })
}

func (g *guarded) Close(ctx context.Context) error {
	return guard(func() error { return g.client.Close(ctx) })
}

type guardedWalker struct {
	guarded
	walker storage.Walker
}

func (g *guardedWalker) Walk(ctx context.Context, fn storage.WalkFunc) error {
	return guard(func() error { return g.walker.Walk(ctx, fn) })
}
