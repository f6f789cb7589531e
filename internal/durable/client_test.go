// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"context"
	"errors"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

var receiverID = component.MustNewID("some_receiver")

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

type notStorage struct {
	component.StartFunc
	component.ShutdownFunc
}

type brokenStorage struct {
	notStorage
	err error
}

func (b brokenStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, b.err
}

func TestOpenClientSaysWhatIsWrong(t *testing.T) {
	id := component.MustNewIDWithName("file_storage", "state")
	broken := errors.New("permission denied")
	tests := []struct {
		name string
		host host
		want string
		is   error
	}{
		{"missing", host{}, `storage extension "file_storage/state" is not running: define it under 'extensions' and list it in 'service::extensions'`, nil},
		{"of another kind", host{id: notStorage{}}, `extension "file_storage/state" is not a storage extension`, nil},
		{"locked", host{id: brokenStorage{err: errors.New("timeout")}}, "is another collector, or another instance of this receiver, using the same storage?", nil},
		{"broken", host{id: brokenStorage{err: broken}}, `opening storage "file_storage/state" for some_receiver: permission denied`, broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, err := OpenClient(t.Context(), tt.host, &id, component.KindReceiver, receiverID)
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, client)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
		})
	}
}

func TestOpenClientWithoutIDKeepsInMemory(t *testing.T) {
	client, err := OpenClient(t.Context(), host{}, nil, component.KindReceiver, receiverID)
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "k", []byte("v")))
	got, err := client.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, []byte("v"), got)
}

func TestFileStorageKeepsStateAcrossClients(t *testing.T) {
	id := component.MustNewID("file_storage")
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = t.TempDir()
	cfg.Timeout = 1 // nanoseconds; a taken lock is reported at once
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })

	open := func() (storage.Client, error) {
		return OpenClient(t.Context(), host{id: ext}, &id, component.KindReceiver, receiverID)
	}
	client, err := open()
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "kept", []byte("by both")))

	_, err = open()
	require.ErrorContains(t, err, "another instance of this receiver")

	require.NoError(t, client.Close(t.Context()))
	client, err = open()
	require.NoError(t, err)
	kept, err := client.Get(t.Context(), "kept")
	require.NoError(t, err)
	require.Equal(t, "by both", string(kept))
	require.NoError(t, client.Close(t.Context()))
}
