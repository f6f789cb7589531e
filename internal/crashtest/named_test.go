// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

func openNamed(t *testing.T, ext *NamedExtension, name string) storage.Client {
	t.Helper()
	client, err := ext.GetClient(t.Context(), component.KindReceiver, component.MustNewID("some_receiver"), name)
	require.NoError(t, err)
	return client
}

func TestNamedClientsShareADiskAndSeeTheirOwn(t *testing.T) {
	disk := NewDisk()
	ext := NewNamedExtension(disk)
	one, two := openNamed(t, ext, "one"), openNamed(t, ext, "two")
	require.NoError(t, one.Set(t.Context(), "a", []byte("1")))
	get := storage.GetOperation("a")
	require.NoError(t, two.Batch(t.Context(), storage.SetOperation("a", []byte("2")), storage.SetOperation("b", []byte("3")), get))
	require.Equal(t, "2", string(get.Value))
	require.NoError(t, two.Delete(t.Context(), "b"))
	require.Equal(t, []string{"one/a", "two/a"}, disk.Keys())
	got, err := one.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "1", string(got))

	seen := map[string]string{}
	require.NoError(t, two.(storage.Walker).Walk(t.Context(), func(key string, value []byte) ([]*storage.Operation, error) {
		seen[key] = string(value)
		return nil, nil
	}))
	require.Equal(t, map[string]string{"a": "2"}, seen)
}

func TestNamedClientIsLockedUntilItIsClosed(t *testing.T) {
	ext := NewNamedExtension(NewDisk())
	one := openNamed(t, ext, "one")
	_, err := ext.OpenClient(t.Context(), "one")
	require.EqualError(t, err, "timeout")
	two := openNamed(t, ext, "two")
	ext.Uncounted("three")
	require.Equal(t, []string{"one", "two"}, ext.Open())
	require.NoError(t, one.Close(t.Context()))
	require.NoError(t, two.Close(t.Context()))
	require.Empty(t, ext.Open())
	openNamed(t, ext, "one")
	require.Equal(t, 2, ext.Most())
	require.Equal(t, 3, ext.Opened())
}

func TestNamedClientsCrashTogether(t *testing.T) {
	ext := NewNamedExtension(NewDisk(), CrashAfter(1))
	one, two := openNamed(t, ext, "one"), openNamed(t, ext, "two")
	require.NoError(t, one.Set(t.Context(), "a", nil))
	require.ErrorIs(t, two.Set(t.Context(), "a", nil), ErrCrashed)
	_, err := one.Get(t.Context(), "a")
	require.ErrorIs(t, err, ErrCrashed)
	require.True(t, ext.Process.Crashed())
}

func TestNamedClientsRefuseAsTold(t *testing.T) {
	broken := errors.New("input/output error")
	disk := NewDisk()
	ext := NewNamedExtension(disk)
	one := openNamed(t, ext, "one")
	refused := func(want string) func(string) error {
		return func(got string) error {
			if got == want {
				return broken
			}
			return nil
		}
	}
	ext.FailSet, ext.FailOpen = refused("one/a"), refused("two")
	require.ErrorIs(t, one.Set(t.Context(), "a", nil), broken)
	require.NoError(t, one.Set(t.Context(), "b", nil))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, one.Set(canceled, "c", nil), context.Canceled)
	require.Equal(t, []string{"one/b"}, disk.Keys())
	_, err := ext.OpenClient(t.Context(), "two")
	require.ErrorIs(t, err, broken)

	ext.Process = disk.Client(FailGet("", -1, broken))
	_, err = one.Get(t.Context(), "b")
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, one.(storage.Walker).Walk(t.Context(), nil), broken)
}

func TestPlainClientCannotBeWalked(t *testing.T) {
	ext := NewNamedExtension(NewDisk())
	ext.Plain = true
	_, can := openNamed(t, ext, "one").(storage.Walker)
	require.False(t, can)
	_, can = ext.Uncounted("two").(storage.Walker)
	require.False(t, can)
}
