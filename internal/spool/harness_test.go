// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(drainVariable); dir != "" {
		_ = json.NewEncoder(os.Stdout).Encode(drainFiles(dir))
		return
	}
	goleak.VerifyTestMain(m)
}

var errBroken = errors.New("input/output error")

// store is one life of a process over a disk: a client for each name, all of which crash together.
type store struct {
	disk   *crashtest.Disk
	client *crashtest.Client
	plain  bool // the clients cannot be walked

	mu     sync.Mutex
	open   map[string]bool
	most   int // most segments open at once
	opened int
	fail   func(name string) error
}

func newStore(disk *crashtest.Disk, opts ...crashtest.Option) *store {
	return &store{disk: disk, client: disk.Client(opts...), open: map[string]bool{}}
}

func (st *store) OpenClient(_ context.Context, name string) (storage.Client, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.fail != nil {
		if err := st.fail(name); err != nil {
			return nil, err
		}
	}
	if st.open[name] {
		return nil, errors.New("timeout")
	}
	st.open[name] = true
	st.opened++
	st.most = max(st.most, len(st.open))
	if st.plain {
		return &view{st, name}, nil
	}
	return &walkableView{view{st, name}}, nil
}

func (st *store) settings(t *testing.T) Settings {
	t.Helper()
	return Settings{
		Root: &view{st, "root"}, OpenClient: st.OpenClient,
		MaxBytes: 1 << 20, SegmentBytes: 4 << 10, Logger: zaptest.NewLogger(t),
	}
}

func (st *store) spool(t *testing.T, change ...func(*Settings)) *Spool {
	t.Helper()
	set := st.settings(t)
	for _, c := range change {
		c(&set)
	}
	s, err := Open(t.Context(), set)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close(context.Background()))
		st.mu.Lock()
		defer st.mu.Unlock()
		require.Empty(t, st.open, "a closed spool holds no storage client")
	})
	return s
}

// view is the client of one name.
type view struct {
	store *store
	name  string
}

func (v *view) key(key string) string { return v.name + "/" + key }

func (v *view) Get(ctx context.Context, key string) ([]byte, error) {
	return v.store.client.Get(ctx, v.key(key))
}

func (v *view) Set(ctx context.Context, key string, value []byte) error {
	return v.store.client.Set(ctx, v.key(key), value)
}

func (v *view) Delete(ctx context.Context, key string) error {
	return v.store.client.Delete(ctx, v.key(key))
}

func (v *view) Batch(ctx context.Context, ops ...*storage.Operation) error {
	inner := make([]*storage.Operation, len(ops))
	for i, op := range ops {
		inner[i] = &storage.Operation{Type: op.Type, Key: v.key(op.Key), Value: op.Value}
	}
	err := v.store.client.Batch(ctx, inner...)
	for i, op := range ops {
		op.Value = inner[i].Value
	}
	return err
}

func (v *view) Close(context.Context) error {
	v.store.mu.Lock()
	defer v.store.mu.Unlock()
	delete(v.store.open, v.name)
	return nil
}

type walkableView struct{ view }

func (v *walkableView) Walk(ctx context.Context, fn storage.WalkFunc) error {
	for _, key := range v.store.disk.Keys() {
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

// commit puts a batch with the given body into the spool.
func commit(t *testing.T, s *Spool, body string) string {
	t.Helper()
	id, err := tryCommit(t.Context(), s, body)
	require.NoError(t, err)
	return id
}

func tryCommit(ctx context.Context, s *Spool, body string) (string, error) {
	r, err := s.Reserve(ctx, int64(len(body))+1024)
	if err != nil {
		return "", err
	}
	defer r.Release()
	return r.Commit(ctx, Batch{ReceivedAt: time.Now(), Body: []byte(body)})
}

// drain takes everything out of the spool and returns the bodies in the order in which they were handed out.
func drain(t *testing.T, s *Spool) []string {
	t.Helper()
	var bodies []string
	for s.Stats().Entries > 0 {
		e, err := s.Next(t.Context())
		require.NoError(t, err)
		require.NoError(t, e.Err)
		bodies = append(bodies, string(e.Body))
		require.NoError(t, s.Delete(t.Context(), e))
	}
	return bodies
}

// numbered returns n bodies of so many bytes.
func numbered(n, size int) []string {
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = fmt.Sprintf("%0*d", size, i)
	}
	return bodies
}

func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
