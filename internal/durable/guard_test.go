// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// The library behind file_storage panics at a damaged file; that must not take down the Collector.
func TestPanicOfTheStorageBecomesAnError(t *testing.T) {
	panics := func() { panic("freepages: failed to get all reachable pages") }
	_, err := Guard(func() (storage.Client, error) { panics(); return nil, nil })
	require.EqualError(t, err, "the storage is damaged: freepages: failed to get all reachable pages")

	client, err := Guard(func() (storage.Client, error) { return &panicking{panics}, nil })
	require.NoError(t, err)
	_, err = client.Get(t.Context(), "k")
	require.ErrorContains(t, err, "the storage is damaged")
	for _, err := range []error{
		client.Set(t.Context(), "k", nil), client.Delete(t.Context(), "k"), client.Batch(t.Context()), client.Close(t.Context()),
		client.(storage.Walker).Walk(t.Context(), nil),
	} {
		require.ErrorContains(t, err, "the storage is damaged")
	}
}

type panicking struct{ panics func() }

func (p *panicking) Get(context.Context, string) ([]byte, error)        { p.panics(); return nil, nil }
func (p *panicking) Set(context.Context, string, []byte) error          { p.panics(); return nil }
func (p *panicking) Delete(context.Context, string) error               { p.panics(); return nil }
func (p *panicking) Batch(context.Context, ...*storage.Operation) error { p.panics(); return nil }
func (p *panicking) Close(context.Context) error                        { p.panics(); return nil }
func (p *panicking) Walk(context.Context, storage.WalkFunc) error       { p.panics(); return nil }
