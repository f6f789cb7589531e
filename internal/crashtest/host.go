// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// StorageID is the id under which a Host offers its extension.
var StorageID = component.MustNewIDWithName("file_storage", "crashtest")

var errLocked = errors.New("timeout")

var _ storage.Extension = (*Extension)(nil)

// Extension offers one disk as a storage extension, for one component at a time: like file_storage it answers "timeout"
// while an earlier client is neither closed nor crashed.
type Extension struct {
	component.StartFunc
	component.ShutdownFunc

	disk *Disk
	opts []Option

	mu     sync.Mutex
	client *Client // the newest; nil before the first
}

// NewExtension returns an extension whose clients have the given options. A test that restarts its component after a crash
// makes a new extension over the same disk, with the options of the next life.
func NewExtension(disk *Disk, opts ...Option) *Extension {
	return &Extension{disk: disk, opts: opts}
}

// GetClient implements storage.Extension.
func (e *Extension) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil && !e.client.released() {
		return nil, errLocked
	}
	e.client = e.disk.Client(e.opts...)
	return e.client, nil
}

// Crashed reports whether the newest client has crashed.
func (e *Extension) Crashed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.client != nil && e.client.Crashed()
}

// Released reports whether no client is open: every one handed out was closed or has crashed.
func (e *Extension) Released() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.client == nil || e.client.released()
}

// Host is a component.Host that has one storage extension.
type Host struct {
	extensions map[component.ID]component.Component
}

// NewHost returns a host that offers ext under StorageID.
func NewHost(ext storage.Extension) *Host {
	return &Host{extensions: map[component.ID]component.Component{StorageID: ext}}
}

// GetExtensions implements component.Host.
func (h *Host) GetExtensions() map[component.ID]component.Component {
	return h.extensions
}
