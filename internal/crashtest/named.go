// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

var (
	_ storage.Extension = (*NamedExtension)(nil)
	_ storage.Walker    = walkable{}
)

// NamedExtension is one life's view of a disk as a storage extension with a client for each name, like file_storage with its
// files. All of them crash together. On the disk, the name and a slash stand before each key.
type NamedExtension struct {
	component.StartFunc
	component.ShutdownFunc

	// Process is what all clients work through. A test may put another one in its place.
	Process *Client
	// Plain makes clients that cannot be walked.
	Plain bool
	// FailOpen, unless it is nil, refuses the opening of clients.
	FailOpen func(name string) error
	// FailSet, unless it is nil, refuses calls of Set. It is asked with the key as on the disk.
	FailSet func(key string) error

	mu     sync.Mutex
	open   map[string]bool
	most   int
	opened int
}

// NewNamedExtension returns an extension whose clients together behave as one with the given options.
func NewNamedExtension(disk *Disk, opts ...Option) *NamedExtension {
	return &NamedExtension{Process: disk.Client(opts...), open: map[string]bool{}}
}

// GetClient implements storage.Extension.
func (e *NamedExtension) GetClient(ctx context.Context, _ component.Kind, _ component.ID, name string) (storage.Client, error) {
	return e.OpenClient(ctx, name)
}

// OpenClient is GetClient for the one component that there is.
func (e *NamedExtension) OpenClient(_ context.Context, name string) (storage.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.FailOpen != nil {
		if err := e.FailOpen(name); err != nil {
			return nil, err
		}
	}
	if e.open[name] {
		return nil, errLocked
	}
	e.open[name] = true
	e.opened++
	e.most = max(e.most, len(e.open))
	if e.Plain {
		return e.Uncounted(name), nil
	}
	return walkable{&named{e, name}}, nil
}

// Uncounted returns a plain client of a name that is not open in the sense of Open, for a subject that is given it ready.
func (e *NamedExtension) Uncounted(name string) storage.Client { return &named{e, name} }

// Open returns the names whose clients are open.
func (e *NamedExtension) Open() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.open))
}

// Most returns how many clients were open at once at the most.
func (e *NamedExtension) Most() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.most
}

// Opened returns how often a client was opened.
func (e *NamedExtension) Opened() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.opened
}

// named is the client of one name.
type named struct {
	ext  *NamedExtension
	name string
}

func (c *named) key(key string) string { return c.name + "/" + key }

func (c *named) Get(ctx context.Context, key string) ([]byte, error) {
	return c.ext.Process.Get(ctx, c.key(key))
}

func (c *named) Set(ctx context.Context, key string, value []byte) error {
	if err := ctx.Err(); err != nil { // as a storage over a network does
		return err
	}
	if c.ext.FailSet != nil {
		if err := c.ext.FailSet(c.key(key)); err != nil {
			return err
		}
	}
	return c.ext.Process.Set(ctx, c.key(key), value)
}

func (c *named) Delete(ctx context.Context, key string) error {
	return c.ext.Process.Delete(ctx, c.key(key))
}

func (c *named) Batch(ctx context.Context, ops ...*storage.Operation) error {
	inner := make([]*storage.Operation, len(ops))
	for i, op := range ops {
		inner[i] = &storage.Operation{Type: op.Type, Key: c.key(op.Key), Value: op.Value}
	}
	err := c.ext.Process.Batch(ctx, inner...)
	for i, op := range ops {
		op.Value = inner[i].Value
	}
	return err
}

func (c *named) Close(context.Context) error {
	c.ext.mu.Lock()
	defer c.ext.mu.Unlock()
	delete(c.ext.open, c.name)
	return nil
}

// walkable is what the clients of file_storage are.
type walkable struct{ *named }

// Walk implements storage.Walker, as far as nothing is to be changed on the way.
func (c walkable) Walk(ctx context.Context, fn storage.WalkFunc) error {
	for _, key := range c.ext.Process.disk.Keys() {
		own, ok := strings.CutPrefix(key, c.name+"/")
		if !ok {
			continue
		}
		value, err := c.Get(ctx, own)
		if err != nil {
			return err
		}
		if _, err := fn(own, value); err != nil {
			return err
		}
	}
	return nil
}
