// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

var (
	errClosed   = errors.New("the storage client is closed")
	errEmptyKey = errors.New("a storage key must not be empty")
)

// memory behaves as file_storage does, minus the file: atomic batches, no empty keys, no use after Close.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte // nil once closed
}

// NewMemory returns a storage client that forgets everything when the process ends. It is safe for concurrent use.
func NewMemory() storage.Client {
	return &memory{values: map[string][]byte{}}
}

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := m.Batch(ctx, op)
	return op.Value, err
}

func (m *memory) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memory) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		return errClosed
	}
	for _, op := range ops {
		if op.Key == "" {
			return errEmptyKey
		}
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = bytes.Clone(m.values[op.Key])
		case storage.Set:
			// An empty value must stay apart from a missing one, which is nil.
			m.values[op.Key] = append([]byte{}, op.Value...)
		case storage.Delete:
			delete(m.values, op.Key)
		}
	}
	return nil
}

func (m *memory) Close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values = nil
	return nil
}
