// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

var (
	// ErrCrashed is what a client returns for every call from its crash on.
	ErrCrashed = errors.New("the simulated process has crashed")
	// ErrClosed is what a client returns for every call after Close.
	ErrClosed = errors.New("the storage client is closed")
)

var _ storage.Client = (*Client)(nil)

// Client is one process's access to a Disk. It is safe for concurrent use.
type Client struct {
	disk *Disk

	nonAtomic      bool
	crashAfter     int // negative: never
	unacknowledged bool
	onCrash        func()
	maxBytes       int64 // 0: unlimited

	mu      sync.Mutex
	faults  []*fault
	writes  int
	crashed bool
	closed  bool
}

// fault refuses operations of one kind on one key.
type fault struct {
	kind  storage.OpType
	key   string // empty: any
	times int    // negative: always
	err   error
}

// Option changes how a client behaves.
type Option func(*Client)

// CrashAfter lets k writes pass and crashes at the next one, which is not applied. See Disk.Writes for what a write is.
func CrashAfter(k int) Option { return func(c *Client) { c.crashAfter = k } }

// Unacknowledged makes the crash of CrashAfter(k) happen inside write k: it is applied, but its caller gets ErrCrashed
// already. It is the harder case, because nothing that should follow the write happens any more.
func Unacknowledged() Option { return func(c *Client) { c.unacknowledged = true } }

// NonAtomic makes a Batch apply its operations one by one, each a write of its own, so that a crash or a full disk can leave
// any prefix of it behind. Without it a Batch is applied as a whole or not at all.
func NonAtomic() Option { return func(c *Client) { c.nonAtomic = true } }

// OnCrash has hook called once when the crash happens, before the failing call returns, so that a test can stop the rest
// of the simulated process. It may use the disk.
func OnCrash(hook func()) Option { return func(c *Client) { c.onCrash = hook } }

// MaxBytes makes writes fail with storage.ErrStorageFull that would grow the disk beyond n bytes of keys and values.
// Deletes and writes that do not grow it still work, as they do with file_storage.
func MaxBytes(n int64) Option { return func(c *Client) { c.maxBytes = n } }

// FailGet makes the next times reads of key fail with err; a negative times means every read, an empty key any key.
func FailGet(key string, times int, err error) Option { return fail(storage.Get, key, times, err) }

// FailSet is FailGet for Set. The refused write is not applied.
func FailSet(key string, times int, err error) Option { return fail(storage.Set, key, times, err) }

// FailDelete is FailGet for Delete. The refused write is not applied.
func FailDelete(key string, times int, err error) Option {
	return fail(storage.Delete, key, times, err)
}

func fail(kind storage.OpType, key string, times int, err error) Option {
	return func(c *Client) {
		c.faults = append(c.faults, &fault{kind: kind, key: key, times: times, err: err})
	}
}

// Client returns a new client of the disk. Several may be open at once.
func (d *Disk) Client(opts ...Option) *Client {
	c := &Client{disk: d, crashAfter: -1, onCrash: func() {}}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// Crashed reports whether the crash has happened.
func (c *Client) Crashed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crashed
}

// Get implements storage.Client.
func (c *Client) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

// Set implements storage.Client.
func (c *Client) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

// Delete implements storage.Client.
func (c *Client) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch implements storage.Client.
func (c *Client) Batch(_ context.Context, ops ...*storage.Operation) error {
	crashed, err := c.batch(ops)
	if crashed {
		c.onCrash()
	}
	return err
}

// Close implements storage.Client. It works after a crash too, so that a test can tear down in the ordinary way.
func (c *Client) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

// released reports whether the client holds the disk no more.
func (c *Client) released() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed || c.crashed
}

// batch reports, besides the error, whether the crash happened in this call.
func (c *Client) batch(ops []*storage.Operation) (crashed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.crashed {
		return false, ErrCrashed
	}
	if c.closed {
		return false, ErrClosed
	}
	if !c.nonAtomic {
		err := c.commit(ops)
		return c.crashed, err
	}
	for i := range ops {
		if err := c.commit(ops[i : i+1]); err != nil {
			return c.crashed, err
		}
	}
	return false, nil
}

// commit applies ops as a whole or not at all. Both the client's and the disk's lock order is client first.
func (c *Client) commit(ops []*storage.Operation) error {
	writes := 0
	for _, op := range ops {
		if op.Type != storage.Get {
			writes = 1
		}
	}
	if writes > 0 && c.writes == c.crashAfter {
		c.crashed = true
		return ErrCrashed
	}
	c.disk.mu.Lock()
	defer c.disk.mu.Unlock()
	if err := c.apply(ops); err != nil || writes == 0 {
		return err
	}
	c.disk.writes += writes
	c.writes += writes
	if c.unacknowledged && c.writes == c.crashAfter {
		c.crashed = true
		return ErrCrashed
	}
	return nil
}

// apply does ops on the disk. After an error the disk is as it was.
func (c *Client) apply(ops []*storage.Operation) (err error) {
	d := c.disk
	before := d.bytes
	var undo []func()
	defer func() {
		if err == nil {
			return
		}
		for _, f := range slices.Backward(undo) {
			f()
		}
	}()
	for _, op := range ops {
		if op.Key == "" {
			return errors.New("a storage key must not be empty")
		}
		if err := c.refuse(op); err != nil {
			return err
		}
		old, was := d.values[op.Key]
		switch op.Type {
		case storage.Get:
			op.Value = bytes.Clone(old)
			continue
		case storage.Set:
			d.put(op.Key, append([]byte{}, op.Value...))
		case storage.Delete:
			d.drop(op.Key)
		}
		undo = append(undo, func() {
			if was {
				d.put(op.Key, old)
			} else {
				d.drop(op.Key)
			}
		})
	}
	if c.maxBytes > 0 && d.bytes > c.maxBytes && d.bytes > before {
		return storage.ErrStorageFull
	}
	return nil
}

// refuse returns the injected error for op, if one is left.
func (c *Client) refuse(op *storage.Operation) error {
	for _, f := range c.faults {
		if f.kind != op.Type || f.times == 0 || (f.key != "" && f.key != op.Key) {
			continue
		}
		if f.times > 0 {
			f.times--
		}
		return f.err
	}
	return nil
}
