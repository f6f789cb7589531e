// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package quarantine keeps the originals of records that no consumer takes, or that cannot be understood, in the receiver's
// storage, until a person looks at them. It is bounded and counted; it never throws anything away by itself.
package quarantine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

// Formats of Entry.Data.
const (
	FormatOTLPProto = "otlp_proto" // plog.Logs as OTLP protobuf
	FormatRaw       = "raw"        // bytes as they were received
)

// What a zero field of Limits stands for.
const (
	DefaultEntries       = 1000
	DefaultBytes   int64 = 64 << 20
)

const (
	version    = 1
	indexKey   = "quarantine/index"
	itemPrefix = "quarantine/item/"
)

var (
	// ErrFull says that an entry does not fit within the limits. The caller must keep the data where it is.
	ErrFull = errors.New("the quarantine is full, so nothing more is put aside: mend why records are refused " +
		"(the exporter's log says why); what waits is then delivered")
	// ErrCorrupt says that an entry is damaged or missing in the storage.
	ErrCorrupt = errors.New("the quarantine entry is damaged")
)

// Limits bound a Store.
type Limits struct {
	Entries int   // number of entries; default 1000
	Bytes   int64 // bytes that the entries take in the storage, about 4/3 of their data; default 64 MiB
}

// Entry is one original.
type Entry struct {
	Seq    uint64    `json:"-"`      // given by Put, ascending, never used twice
	At     time.Time `json:"at"`     // when it was put aside; Put fills a zero in
	Reason string    `json:"reason"` // short code, such as "refused"
	Source string    `json:"source"` // component or subaccount it came from
	Data   []byte    `json:"data"`
	Format string    `json:"format"` // FormatOTLPProto or FormatRaw
}

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
type index struct {
	Last     uint64 `json:"last"` // highest number given
	Refs     []ref  `json:"refs"`
	Removing uint64 `json:"removing,omitempty"` // item that may still be there; 0 for none
}

// Store is a quarantine within a storage client. It is safe for concurrent use; one storage must have one Store only.
type Store struct {
	client storage.Client
	limits Limits

	mu     sync.Mutex
	index  index
	bytes  int64 // sum of the sizes in index.Refs
	unsure bool  // a write has failed: nobody knows how much of it the storage took
}

// Open reads the quarantine that client holds; an empty one is not written before its first entry. It fails if the index
// cannot be read or is damaged, because forgetting the index would lose the entries. Entries beyond the limits stay.
func Open(ctx context.Context, client storage.Client, limits Limits) (*Store, error) {
	if limits.Entries <= 0 {
		limits.Entries = DefaultEntries
	}
	if limits.Bytes <= 0 {
		limits.Bytes = DefaultBytes
	}
	s := &Store{client: client, limits: limits, unsure: true}
	if err := s.load(ctx); err != nil {
		return nil, fmt.Errorf("opening the quarantine: %w", err)
	}
	return s, nil
}

// Put stores e as a new entry. After an error, ErrFull or the storage's own, the caller must keep the data where it is and
// may try again later.
func (s *Store) Put(ctx context.Context, e Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.put(ctx, e); err != nil {
		return fmt.Errorf("putting an entry into the quarantine: %w", err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, e Entry) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	item, err := durable.Seal(version, e)
	if err != nil {
		return err
	}
	size := int64(len(item))
	if len(s.index.Refs) >= s.limits.Entries || s.bytes+size > s.limits.Bytes {
		return ErrFull
	}
	seq := s.index.Last + 1
	next := index{Last: seq, Refs: append(slices.Clone(s.index.Refs), ref{Seq: seq, Size: size})}
	setIndex, err := sealIndex(next)
	if err != nil {
		return err
	}
	return s.write(ctx, next, storage.SetOperation(itemKey(seq), item), setIndex)
}

// List returns every readable entry, oldest first. The error joins what is wrong with the others, each with its number;
// it is no reason to discard the entries returned. Damaged ones wrap ErrCorrupt and can be deleted.
func (s *Store) List(ctx context.Context) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return nil, fmt.Errorf("listing the quarantine: %w", err)
	}
	var (
		entries []Entry
		errs    []error
	)
	for _, ref := range s.index.Refs {
		if err := ctx.Err(); err != nil {
			return entries, errors.Join(append(errs, err)...)
		}
		e := Entry{Seq: ref.Seq}
		err := durable.Load(ctx, s.client, itemKey(ref.Seq), version, &e)
		if errors.Is(err, durable.ErrCorrupt) || errors.Is(err, durable.ErrAbsent) {
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("quarantine entry %d: %w", ref.Seq, err))
			continue
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(errs...)
}

// Delete removes the entry with the given number, readable or not. It does nothing if there is none.
func (s *Store) Delete(ctx context.Context, seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.delete(ctx, seq); err != nil {
		return fmt.Errorf("deleting entry %d from the quarantine: %w", seq, err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, seq uint64) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	refs := slices.DeleteFunc(slices.Clone(s.index.Refs), func(r ref) bool { return r.Seq == seq })
	if len(refs) == len(s.index.Refs) {
		return nil
	}
	next := index{Last: s.index.Last, Refs: refs, Removing: seq}
	setIndex, err := sealIndex(next)
	if err != nil {
		return err
	}
	return s.write(ctx, next, setIndex, storage.DeleteOperation(itemKey(seq)))
}

// Len returns the number of entries, damaged ones included.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.index.Refs)
}

// Bytes returns how many bytes the entries take in the storage.
func (s *Store) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// load reads the index, at the start and after a failed write, and finishes a removal that was cut short.
func (s *Store) load(ctx context.Context) error {
	if !s.unsure {
		return nil
	}
	var found index
	err := durable.Load(ctx, s.client, indexKey, version, &found)
	if err != nil && !errors.Is(err, durable.ErrAbsent) {
		return err
	}
	if found.Removing != 0 {
		removed := storage.DeleteOperation(itemKey(found.Removing))
		found.Removing = 0
		setIndex, err := sealIndex(found)
		if err != nil {
			return err
		}
		return s.write(ctx, found, removed, setIndex)
	}
	s.adopt(found)
	return nil
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

func sealIndex(i index) (*storage.Operation, error) {
	raw, err := durable.Seal(version, i)
	return storage.SetOperation(indexKey, raw), err
}

func itemKey(seq uint64) string {
	return itemPrefix + strconv.FormatUint(seq, 10)
}
