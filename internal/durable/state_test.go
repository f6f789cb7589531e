// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// faulty fails the named operations of the client under it.
type faulty struct {
	storage.Client
	get, set error
}

func (f faulty) Get(ctx context.Context, key string) ([]byte, error) {
	if f.get != nil {
		return nil, f.get
	}
	return f.Client.Get(ctx, key)
}

func (f faulty) Set(ctx context.Context, key string, value []byte) error {
	if f.set != nil {
		return f.set
	}
	return f.Client.Set(ctx, key, value)
}

func TestLoadReturnsWhatSaveStored(t *testing.T) {
	client := NewMemory()
	require.NoError(t, Save(t.Context(), client, "cursor", 1, state{Count: 9}))
	var got state
	require.NoError(t, Load(t.Context(), client, "cursor", 1, &got))
	require.Equal(t, state{Count: 9}, got)
}

func TestLoadNamesTheKeyAndTheReason(t *testing.T) {
	client := NewMemory()
	require.NoError(t, Save(t.Context(), client, "newer", 2, state{}))
	require.NoError(t, client.Set(t.Context(), "damaged", []byte("{")))
	require.NoError(t, client.Set(t.Context(), "emptied", []byte{}))
	unreadable := errors.New("input/output error")

	tests := []struct {
		key    string
		client storage.Client
		want   error
	}{
		{"missing", client, ErrAbsent},
		{"newer", client, ErrNewerVersion},
		{"damaged", client, ErrCorrupt},
		{"emptied", client, ErrCorrupt},
		{"missing", faulty{Client: client, get: unreadable}, unreadable},
	}
	for _, tt := range tests {
		var into state
		err := Load(t.Context(), tt.client, tt.key, 1, &into)
		require.ErrorIs(t, err, tt.want)
		require.ErrorContains(t, err, `"`+tt.key+`"`)
		if !errors.Is(tt.want, ErrAbsent) {
			require.NotErrorIs(t, err, ErrAbsent)
		}
	}
}

func TestSaveNamesTheKey(t *testing.T) {
	full := faulty{Client: NewMemory(), set: storage.ErrStorageFull}
	err := Save(t.Context(), full, "cursor", 1, state{})
	require.ErrorIs(t, err, storage.ErrStorageFull)
	require.ErrorContains(t, err, `writing "cursor" to storage`)

	require.ErrorContains(t, Save(t.Context(), full, "cursor", 1, math.Inf(1)), `writing "cursor" to storage`)
}
