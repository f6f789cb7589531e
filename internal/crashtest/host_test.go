// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

func TestExtensionIsLockedUntilTheClientIsClosed(t *testing.T) {
	disk := NewDisk()
	ext := NewExtension(disk)
	require.True(t, ext.Released())
	open := func() (storage.Client, error) {
		found := NewHost(ext).GetExtensions()[StorageID].(storage.Extension)
		return found.GetClient(t.Context(), component.KindReceiver, component.MustNewID("some_receiver"), "")
	}

	first, err := open()
	require.NoError(t, err)
	require.NoError(t, first.Set(t.Context(), "a", []byte("1")))
	require.False(t, ext.Released())

	_, err = open()
	require.EqualError(t, err, "timeout")

	require.NoError(t, first.Close(t.Context()))
	require.True(t, ext.Released())
	second, err := open()
	require.NoError(t, err)
	got, err := second.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, []byte("1"), got)
	require.False(t, ext.Crashed())
}

func TestCrashReleasesTheExtension(t *testing.T) {
	ext := NewExtension(NewDisk(), CrashAfter(0))
	client, err := ext.GetClient(t.Context(), component.KindReceiver, component.MustNewID("some_receiver"), "")
	require.NoError(t, err)
	require.ErrorIs(t, client.Set(t.Context(), "a", nil), ErrCrashed)
	require.True(t, ext.Crashed())
	require.True(t, ext.Released())
}
