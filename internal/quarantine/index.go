// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package quarantine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

const (
	indexKey   = "quarantine/index"
	copyKey    = "quarantine/copy" // of the index
	itemPrefix = "quarantine/item/"
)

// ref is an entry's line in the index.
type ref struct {
	Seq  uint64 `json:"seq"`
	Size int64  `json:"size"`
}

// index says which items count. It is the only thing that makes an item exist.
//
// Every change is written so that any prefix of its writes is safe, for storages without atomic batches. Put writes the item,
// then the index: an item that the index does not know is overwritten by the next Put, as both use Last+1. Delete writes
// an index that announces the removal, then removes the item: load finishes what was announced.
//
// A copy is written right after the index. It takes its place when that is damaged, and may lack the last change.
type index struct {
	Last     uint64 `json:"last"` // highest number given
	Refs     []ref  `json:"refs"`
	Removing uint64 `json:"removing,omitempty"` // item that may still be there; 0 for none
}

func (i index) has(seq uint64) bool {
	return slices.ContainsFunc(i.Refs, func(r ref) bool { return r.Seq == seq })
}

// seal returns the writes that store the index.
func (i index) seal() ([]*storage.Operation, error) {
	raw, err := durable.Seal(version, i)
	return []*storage.Operation{storage.SetOperation(indexKey, raw), storage.SetOperation(copyKey, raw)}, err
}

// load reads the index, at the start and after a failed write. It finishes a removal that was cut short, and mends an index
// or a copy that is damaged or late.
func (s *Store) load(ctx context.Context) error {
	if !s.unsure {
		return nil
	}
	found, sound, err := s.find(ctx)
	if err != nil {
		return err
	}
	if sound && found.Removing == 0 {
		s.adopt(found)
		return nil
	}
	var ops []*storage.Operation
	if found.Removing != 0 {
		ops = append(ops, storage.DeleteOperation(itemKey(found.Removing)))
		found.Removing = 0
	}
	saved, err := found.seal()
	if err != nil {
		return err
	}
	return s.write(ctx, found, append(ops, saved...)...)
}

// find returns the index, and whether it and its copy are stored as they should be.
func (s *Store) find(ctx context.Context) (found index, sound bool, err error) {
	ops := []*storage.Operation{storage.GetOperation(indexKey), storage.GetOperation(copyKey)}
	if err = s.client.Batch(ctx, ops...); err != nil {
		return index{}, false, fmt.Errorf("reading the index: %w", err)
	}
	var first, second index
	firstErr, secondErr := durable.Open(ops[0].Value, version, &first), durable.Open(ops[1].Value, version, &second)
	if newer := errors.Join(firstErr, secondErr); errors.Is(newer, durable.ErrNewerVersion) {
		return index{}, false, fmt.Errorf("reading the index: %w", newer)
	}
	switch {
	case firstErr == nil:
		return first, bytes.Equal(ops[0].Value, ops[1].Value), nil
	case secondErr == nil:
		found, err = s.catchUp(ctx, second)
	case errors.Is(firstErr, durable.ErrAbsent) && errors.Is(secondErr, durable.ErrAbsent):
		// Nothing was put here yet, or only an item that nobody was told of. A second one proves that there was an index.
		if found, err = s.probe(ctx, 2, fewNumbers); err != nil || len(found.Refs) == 0 {
			return index{}, err == nil, err
		}
		found, err = s.rebuild(ctx)
	default:
		found, err = s.rebuild(ctx)
	}
	if err == nil {
		s.repaired++
	}
	return found, false, err
}

// write stores what leads to the index next, and adopts that once it has worked.
func (s *Store) write(ctx context.Context, next index, ops ...*storage.Operation) error {
	s.unsure = true
	if err := s.client.Batch(ctx, ops...); err != nil {
		return err
	}
	s.adopt(next)
	return nil
}

func (s *Store) adopt(found index) {
	s.index = found
	s.unsure = false
	s.bytes = 0
	for _, ref := range found.Refs {
		s.bytes += ref.Size
	}
}

func itemKey(seq uint64) string {
	return itemPrefix + strconv.FormatUint(seq, 10)
}
