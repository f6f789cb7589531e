// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package quarantine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

const (
	// probeStep is how many items one request asks for, in a storage that cannot be listed.
	probeStep = 50
	// fewNumbers is how many numbers are asked for where there should be none.
	fewNumbers = probeStep
	// manyNumbers is after how many numbers without an item in a row there are none any more: ten times what fits in.
	manyNumbers = 10 * DefaultEntries
)

// catchUp brings a copy of the index up to date, which can lack the item that was put last.
func (s *Store) catchUp(ctx context.Context, found index) (index, error) {
	last, err := s.client.Get(ctx, itemKey(found.Last+1))
	if err != nil {
		return index{}, fmt.Errorf("reading the entries: %w", err)
	}
	if last != nil {
		s.add(&found, found.Last+1, last)
	}
	return found, nil
}

// rebuild makes the index anew from the items, when both it and its copy are damaged. An item whose removal had been
// announced and not done can come back by it, which is better than to lose one.
func (s *Store) rebuild(ctx context.Context) (index, error) {
	walker, ok := s.client.(storage.Walker)
	if !ok {
		return s.probe(ctx, 1, manyNumbers)
	}
	var found index
	err := walker.Walk(ctx, func(key string, value []byte) ([]*storage.Operation, error) {
		digits, ok := strings.CutPrefix(key, itemPrefix)
		if seq, err := strconv.ParseUint(digits, 10, 64); ok && err == nil {
			s.add(&found, seq, value)
		}
		return nil, nil
	})
	if err != nil {
		return index{}, fmt.Errorf("looking for the entries: %w", err)
	}
	slices.SortFunc(found.Refs, func(a, b ref) int { return cmp.Compare(a.Seq, b.Seq) })
	return found, nil
}

// probe asks for one number after the other, until patience of them in a row have no item.
func (s *Store) probe(ctx context.Context, seq, patience uint64) (index, error) {
	var found index
	for missing := uint64(0); missing < patience; {
		ops := make([]*storage.Operation, 0, probeStep)
		for n := range uint64(probeStep) {
			ops = append(ops, storage.GetOperation(itemKey(seq+n)))
		}
		if err := s.client.Batch(ctx, ops...); err != nil {
			return index{}, fmt.Errorf("looking for the entries: %w", err)
		}
		for _, op := range ops {
			missing++
			if op.Value != nil {
				missing = 0
				s.add(&found, seq, op.Value)
			}
			seq++
		}
	}
	return found, nil
}

// add takes an item into an index.
func (s *Store) add(to *index, seq uint64, item []byte) {
	to.Last = max(to.Last, seq)
	to.Refs = append(to.Refs, ref{Seq: seq, Size: int64(len(item))})
	if durable.Open(item, version, &Entry{}) != nil {
		s.unreadable[seq] = struct{}{}
	}
}
