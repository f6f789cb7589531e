// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
)

func TestRecordThatTheQuarantineCannotTakeIsKept(t *testing.T) {
	broken := errors.New("input/output error")
	tests := []struct {
		name string
		open func(t *testing.T) *quarantine.Store
		want error
	}{
		{"full", func(t *testing.T) *quarantine.Store {
			t.Helper()
			return openStore(t, crashtest.NewDisk().Client(), quarantine.Limits{Bytes: 1})
		}, quarantine.ErrFull},
		{"storage full", func(t *testing.T) *quarantine.Store {
			t.Helper()
			return openStore(t, crashtest.NewDisk().Client(crashtest.MaxBytes(1)), quarantine.Limits{})
		}, storage.ErrStorageFull},
		{"storage broken", func(t *testing.T) *quarantine.Store {
			t.Helper()
			return openStore(t, crashtest.NewDisk().Client(crashtest.FailSet("", -1, broken)), quarantine.Limits{})
		}, broken},
		{"missing", func(*testing.T) *quarantine.Store { return nil }, errNoQuarantine},
	}
	for _, tt := range tests {
		for _, poison := range [][]string{{"2"}, {"2", "5"}} {
			t.Run(fmt.Sprint(tt.name, " for ", len(poison)), func(t *testing.T) {
				virtualtime.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
					defer cancel()
					r := newRig(t, refuseUIDs(poison...), func(s *Settings) { s.Quarantine = tt.open(t) })
					require.ErrorIs(t, r.insist(ctx, makeLogs(6)), context.DeadlineExceeded)

					require.Zero(t, r.quarantines.Load())
					require.Len(t, r.backend.accepted, 6-len(poison), "the others are through")
					require.Less(t, r.backend.calls, 2*6*120)
					require.ErrorIs(t, r.problems[len(r.problems)-1], tt.want)
					require.Len(t, r.logs.FilterMessageSnippet("The quarantine takes no log record").All(), 1)
					r.requireNoCanary(t)
				})
			})
		}
	}
}

func openStore(t *testing.T, client storage.Client, limits quarantine.Limits) *quarantine.Store {
	t.Helper()
	s, err := quarantine.Open(t.Context(), client, limits)
	require.NoError(t, err)
	return s
}

func TestRecordIsQuarantinedOnceThereIsRoom(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		disk := crashtest.NewDisk()
		store := openStore(t, disk.Client(), quarantine.Limits{Entries: 1})
		require.NoError(t, store.Put(t.Context(), quarantine.Entry{Data: []byte("old")}))
		r := newRig(t, refuseUIDs("1"), func(s *Settings) { s.Quarantine = store })
		done := make(chan error)
		go func() { done <- r.insist(t.Context(), makeLogs(4)) }()
		time.Sleep(3 * time.Hour) // virtual time
		require.NoError(t, store.Delete(t.Context(), 1))
		start := time.Now()
		require.NoError(t, <-done)
		require.Less(t, time.Since(start), 10*time.Minute)
		require.Equal(t, int64(1), r.quarantines.Load())
		require.Equal(t, 1, store.Len())
		require.NoError(t, r.problems[len(r.problems)-1])
	})
}

func TestPoisonFoundAtOnceIsToldOnceInTheLog(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, refuseUIDs(numbers(10, 20)...))
		logs := makeLogs(40)
		require.NoError(t, r.insist(t.Context(), logs))
		require.Len(t, r.quarantined(t, logs), 10)
		told := r.logs.FilterMessageSnippet("were put into the quarantine").All()
		require.Less(t, len(told), 4)
		records := int64(0)
		for _, line := range told {
			records += line.ContextMap()["records"].(int64)
		}
		require.Equal(t, int64(10), records)
		r.requireNoCanary(t)
	})
}
