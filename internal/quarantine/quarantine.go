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

const version = 1

var (
	// ErrFull says that an entry does not fit within the limits. The caller must keep the data where it is.
	ErrFull = errors.New("the quarantine is full, so nothing more is put aside: mend why records are refused " +
		"(the exporter's log says why); what waits is then delivered")
	// ErrCorrupt says that an entry is damaged or missing in the storage.
	ErrCorrupt = errors.New("the quarantine entry is damaged")
	// ErrAbsent says that there is no entry with the given number (any more).
	ErrAbsent = errors.New("there is no such entry in the quarantine")
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

// Store is a quarantine within a storage client. It is safe for concurrent use; one storage must have one Store only.
type Store struct {
	client storage.Client
	limits Limits

	mu     sync.Mutex
	index  index
	bytes  int64 // sum of the sizes in index.Refs
	unsure bool  // a write has failed: nobody knows how much of it the storage took

	repaired   int                 // times that the index was damaged
	unreadable map[uint64]struct{} // entries that were damaged when they were last looked at
}

// Stats says what a Store holds and what is wrong with it.
type Stats struct {
	Entries    int   // damaged ones included
	Bytes      int64 // that the entries take in the storage
	Repaired   int   // times since Open that the index was damaged, and made anew from its copy or from the entries
	Unreadable int   // entries that were damaged when they were last looked at
}

// Damage says what is wrong with the entries, nil if nothing is.
func (s Stats) Damage() error {
	switch {
	case s.Repaired > 0:
		return fmt.Errorf("the index of the quarantine was damaged and made anew from what was found, %d entries, of which %d cannot be read: check the disk",
			s.Entries, s.Unreadable)
	case s.Unreadable > 0:
		return fmt.Errorf("%d of the %d entries of the quarantine are damaged and cannot be read: check the disk", s.Unreadable, s.Entries)
	default:
		return nil
	}
}

// Open reads the quarantine that client holds; an empty one is not written before its first entry. A damaged index is made
// anew, see Stats. Open fails if the storage does, or if a newer release has written the index. Entries beyond the limits
// stay.
func Open(ctx context.Context, client storage.Client, limits Limits) (*Store, error) {
	if limits.Entries <= 0 {
		limits.Entries = DefaultEntries
	}
	if limits.Bytes <= 0 {
		limits.Bytes = DefaultBytes
	}
	s := &Store{client: client, limits: limits, unsure: true, unreadable: map[uint64]struct{}{}}
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
	saved, err := next.seal()
	if err != nil {
		return err
	}
	return s.write(ctx, next, append([]*storage.Operation{storage.SetOperation(itemKey(seq), item)}, saved...)...)
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
		e, err := s.read(ctx, ref.Seq)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(errs...)
}

// Seqs returns the numbers of all entries, damaged ones included, oldest first.
func (s *Store) Seqs(ctx context.Context) ([]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return nil, fmt.Errorf("listing the quarantine: %w", err)
	}
	seqs := make([]uint64, 0, len(s.index.Refs))
	for _, ref := range s.index.Refs {
		seqs = append(seqs, ref.Seq)
	}
	return seqs, nil
}

// Get returns one entry. Errors: ErrAbsent if there is none with this number, ErrCorrupt if it is damaged, or the
// storage's own.
func (s *Store) Get(ctx context.Context, seq uint64) (Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return Entry{}, fmt.Errorf("reading the quarantine: %w", err)
	}
	if !s.index.has(seq) {
		return Entry{}, fmt.Errorf("quarantine entry %d: %w", seq, ErrAbsent)
	}
	return s.read(ctx, seq)
}

// read reads an entry that the index knows, and remembers whether it is damaged.
func (s *Store) read(ctx context.Context, seq uint64) (Entry, error) {
	e := Entry{Seq: seq}
	err := durable.Load(ctx, s.client, itemKey(seq), version, &e)
	if errors.Is(err, durable.ErrCorrupt) || errors.Is(err, durable.ErrAbsent) {
		s.unreadable[seq] = struct{}{}
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("quarantine entry %d: %w", seq, err)
	}
	delete(s.unreadable, seq)
	return e, nil
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
	if !s.index.has(seq) {
		return nil
	}
	refs := slices.DeleteFunc(slices.Clone(s.index.Refs), func(r ref) bool { return r.Seq == seq })
	next := index{Last: s.index.Last, Refs: refs, Removing: seq}
	saved, err := next.seal()
	if err != nil {
		return err
	}
	if err := s.write(ctx, next, append(saved, storage.DeleteOperation(itemKey(seq)))...); err != nil {
		return err
	}
	delete(s.unreadable, seq)
	return nil
}

// Len returns the number of entries, damaged ones included.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.index.Refs)
}

// Stats returns what the Store holds.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Entries: len(s.index.Refs), Bytes: s.bytes, Repaired: s.repaired, Unreadable: len(s.unreadable)}
}
