// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Guard opens a client that turns panics into errors. The file behind file_storage has no checksums, and its library
// answers damage with a panic, which would take down the whole Collector; as an error it can be reported, and other
// components go on.
func Guard(open func() (storage.Client, error)) (client storage.Client, err error) {
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
