// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

func TestMemoryTellsMissingFromEmpty(t *testing.T) {
	client := NewMemory()
	missing, err := client.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Nil(t, missing)

	require.NoError(t, client.Set(t.Context(), "k", nil))
	empty, err := client.Get(t.Context(), "k")
	require.NoError(t, err)
	require.NotNil(t, empty)
	require.Empty(t, empty)

	require.NoError(t, client.Delete(t.Context(), "k"))
	missing, err = client.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Nil(t, missing)
}

func TestMemoryKeepsItsOwnCopies(t *testing.T) {
	client := NewMemory()
	value := []byte("abc")
	require.NoError(t, client.Set(t.Context(), "k", value))
	value[0] = 'X'
	got, err := client.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	got[0] = 'Y'
	again, err := client.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "abc", string(again))
}

func TestMemoryBatchIsOrderedAndAtomic(t *testing.T) {
	client := NewMemory()
	before, after := storage.GetOperation("k"), storage.GetOperation("k")
	require.NoError(t, client.Batch(t.Context(), before, storage.SetOperation("k", []byte("v")), after))
	require.Nil(t, before.Value)
	require.Equal(t, []byte("v"), after.Value)

	require.Error(t, client.Batch(t.Context(), storage.DeleteOperation("k"), storage.SetOperation("", nil)))
	got, err := client.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, []byte("v"), got)
}

func TestMemoryRefusesUseAfterClose(t *testing.T) {
	client := NewMemory()
	require.NoError(t, client.Close(t.Context()))
	require.NoError(t, client.Close(t.Context()))
	require.ErrorIs(t, client.Set(t.Context(), "k", nil), errClosed)
	_, err := client.Get(t.Context(), "k")
	require.ErrorIs(t, err, errClosed)
}

func TestMemoryIsSafeForConcurrentUse(t *testing.T) {
	client := NewMemory()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			key := strconv.Itoa(i % 4)
			for range 50 {
				if err := client.Set(t.Context(), key, []byte(key)); err != nil {
					t.Error(err)
				}
				if got, err := client.Get(t.Context(), key); err != nil || string(got) != key {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}
