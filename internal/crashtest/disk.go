// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package crashtest supports tests that crash a component after any of its state writes. A Disk outlives the simulated
// process; a Client is what one life of the process sees of it, and can be told when to die and what to refuse.
//
// A test runs its subject once without a crash to learn the number of writes, then once for every k (and every pair of
// them) with CrashAfter(k), then again on the same Disk, and checks that nothing was lost.
package crashtest

import (
	"bytes"
	"maps"
	"slices"
	"sync"
)

// TB is the part of testing.TB that this package needs. It is spelled out because only test files may import testing.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Disk is what survives a crash: the keys and values of one component's storage. It is safe for concurrent use.
type Disk struct {
	mu     sync.Mutex
	values map[string][]byte // each is replaced, and never changed in place
	bytes  int64             // that values hold, keys included
	writes int
}

// NewDisk returns an empty disk.
func NewDisk() *Disk {
	return &Disk{values: map[string][]byte{}}
}

// Writes returns how many writes the disk has taken from all its clients: every Set, Delete and writing Batch counts as one,
// and with NonAtomic every single operation of a Batch.
func (d *Disk) Writes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.writes
}

// Keys returns the stored keys in order.
func (d *Disk) Keys() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.values))
}

// Value returns a copy of what is stored under key, nil if nothing is.
func (d *Disk) Value(key string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.values[key])
}

// Clone returns an independent disk with the same content, for starting several lives from one state. Its count of writes
// begins at zero.
func (d *Disk) Clone() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Stored values are never changed in place, so that they can be shared.
	return &Disk{values: maps.Clone(d.values), bytes: d.bytes}
}

// Flip damages the stored value of key: it inverts one bit of the byte at offset, counted from the end if negative.
func (d *Disk) Flip(tb TB, key string, offset int) {
	tb.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	damaged := bytes.Clone(d.values[key])
	if offset < 0 {
		offset += len(damaged)
	}
	if offset < 0 || offset >= len(damaged) {
		tb.Fatalf("flipping byte %d of %q: the stored value has %d bytes", offset, key, len(damaged))
	}
	damaged[offset] ^= 1
	d.values[key] = damaged
}

// put stores value under key. The caller holds the lock.
func (d *Disk) put(key string, value []byte) {
	d.drop(key)
	d.values[key] = value
	d.bytes += int64(len(key)) + int64(len(value))
}

// drop removes key, if it is there. The caller holds the lock.
func (d *Disk) drop(key string) {
	value, ok := d.values[key]
	if !ok {
		return
	}
	delete(d.values, key)
	d.bytes -= int64(len(key)) + int64(len(value))
}
