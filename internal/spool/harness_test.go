// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(drainVariable); dir != "" {
		_ = json.NewEncoder(os.Stdout).Encode(drainInTime(dir))
		return
	}
	goleak.VerifyTestMain(m)
}

var errBroken = errors.New("input/output error")

// store is one life of a process over a disk.
type store struct{ *crashtest.NamedExtension }

func newStore(disk *crashtest.Disk, opts ...crashtest.Option) *store {
	return &store{crashtest.NewNamedExtension(disk, opts...)}
}

func (st *store) settings(t *testing.T) Settings {
	t.Helper()
	return Settings{
		Root: st.Uncounted("root"), OpenClient: st.OpenClient,
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
		require.Empty(t, st.Open(), "a closed spool holds no storage client")
	})
	return s
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
