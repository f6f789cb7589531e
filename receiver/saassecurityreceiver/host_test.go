// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

var storageID = component.MustNewID("file_storage")

// host has extensions and remembers the status.
type host struct {
	extensions map[component.ID]component.Component

	mu     sync.Mutex
	status []*componentstatus.Event
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(ev *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = append(h.status, ev)
}

// troubles is the text of the latest status, "" if it is OK.
func (h *host) troubles() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.status) == 0 || h.status[len(h.status)-1].Err() == nil {
		return ""
	}
	return h.status[len(h.status)-1].Err().Error()
}

// disk is one life's view of the crashtest disk as a storage extension: a client for each name, all of which crash together.
type disk struct {
	component.StartFunc
	component.ShutdownFunc

	files  *crashtest.Disk
	client *crashtest.Client
	fail   func(key string) error // of writes; nil lets all pass

	mu   sync.Mutex
	open map[string]bool
}

var _ storage.Extension = (*disk)(nil)

func (d *disk) GetClient(_ context.Context, _ component.Kind, _ component.ID, name string) (storage.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open[name] {
		return nil, errors.New("timeout")
	}
	d.open[name] = true
	return &view{d, name}, nil
}

func (d *disk) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.open))
}

// view is the client of one name.
type view struct {
	disk *disk
	name string
}

func (v *view) key(key string) string { return v.name + "/" + key }

func (v *view) Get(ctx context.Context, key string) ([]byte, error) {
	return v.disk.client.Get(ctx, v.key(key))
}

func (v *view) Set(ctx context.Context, key string, value []byte) error {
	if err := ctx.Err(); err != nil { // as a storage over a network does
		return err
	}
	if v.disk.fail != nil {
		if err := v.disk.fail(v.key(key)); err != nil {
			return err
		}
	}
	return v.disk.client.Set(ctx, v.key(key), value)
}

func (v *view) Delete(ctx context.Context, key string) error {
	return v.disk.client.Delete(ctx, v.key(key))
}

func (v *view) Batch(ctx context.Context, ops ...*storage.Operation) error {
	inner := make([]*storage.Operation, len(ops))
	for i, op := range ops {
		inner[i] = &storage.Operation{Type: op.Type, Key: v.key(op.Key), Value: op.Value}
	}
	err := v.disk.client.Batch(ctx, inner...)
	for i, op := range ops {
		op.Value = inner[i].Value
	}
	return err
}

// Walk is what file_storage has as well.
func (v *view) Walk(ctx context.Context, fn storage.WalkFunc) error {
	for _, key := range v.disk.files.Keys() {
		own, ok := strings.CutPrefix(key, v.name+"/")
		if !ok {
			continue
		}
		value, err := v.Get(ctx, own)
		if err != nil {
			return err
		}
		if _, err := fn(own, value); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) Close(context.Context) error {
	v.disk.mu.Lock()
	defer v.disk.mu.Unlock()
	delete(v.disk.open, v.name)
	return nil
}
