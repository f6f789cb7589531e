// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
)

// single returns a call with the one record uid.
func single(uid string) plog.Logs {
	logs := plog.NewLogs()
	makeLogs(1).CopyTo(logs)
	for record := range records(logs) {
		record.Attributes().PutStr(uidAttribute, uid)
	}
	return logs
}

// anonymous returns a call with one record that has no uid.
func anonymous(resource, scope, body string) plog.Logs {
	logs := plog.NewLogs()
	r := logs.ResourceLogs().AppendEmpty()
	r.Resource().Attributes().PutStr("resource", resource)
	s := r.ScopeLogs().AppendEmpty()
	s.Scope().SetName(scope)
	s.LogRecords().AppendEmpty().Body().SetStr(body)
	return logs
}

// refuseBody refuses permanently every batch that holds a record with the body.
func refuseBody(body string) func(plog.Logs) error {
	return func(logs plog.Logs) error {
		for record := range records(logs) {
			if record.Body().Str() == body {
				return errPermanent
			}
		}
		return nil
	}
}

func TestRecordThatComesBackAloneIsComparedWithCallsInBetween(t *testing.T) {
	tests := []struct {
		name    string
		between []plog.Logs // calls that are accepted
		back    plog.Logs
		want    error
		offers  int // of the call that brings the record back
	}{
		{"others accepted", []plog.Logs{single("8")}, single("0"), nil, refusalsReturned},
		{"nothing in between", nil, single("0"), ErrRefusedAlone, refusalsReturned},
		{"another record", []plog.Logs{single("8")}, single("00"), ErrRefusedAlone, refusalsAlone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, refuseUIDs("0", "00"))
				require.ErrorIs(t, r.Deliver(t.Context(), single("0")), ErrRefusedAlone)
				require.Equal(t, refusalsAlone, r.backend.calls)
				for _, logs := range tt.between {
					require.NoError(t, r.Deliver(t.Context(), logs))
				}
				before := r.backend.calls
				require.ErrorIs(t, r.Deliver(t.Context(), tt.back), tt.want)
				require.Equal(t, tt.offers, r.backend.calls-before)
				require.Equal(t, tt.want == nil, r.store.Len() == 1)
				if tt.want == nil {
					require.Equal(t, uids(tt.back), r.quarantined(t, single("0")))
					require.Empty(t, r.loners.order)
				}
				r.requireNoCanary(t)
			})
		})
	}
}

func TestRecordThatKeepsComingBackAloneToADownBackendIsNoPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := false
		r := newRig(t, func(plog.Logs) error {
			if down {
				return errPermanent
			}
			return nil
		})
		require.NoError(t, r.Deliver(t.Context(), single("8")))
		down = true
		for range 50 {
			require.ErrorIs(t, r.Deliver(t.Context(), single("0")), ErrRefusedAlone)
		}
		require.Equal(t, 1+refusalsAlone+49*refusalsReturned, r.backend.calls)
		require.Len(t, r.loners.order, 1)

		down = false
		require.NoError(t, r.Deliver(t.Context(), single("0")))
		require.Equal(t, []string{"8", "0"}, r.backend.accepted)
		require.Zero(t, r.store.Len())
		require.Empty(t, r.loners.order, "an accepted record is forgotten")
	})
}

func TestRecordsThatComeBackAloneAreComparedWithConcurrentCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const poisons = 8
		r := newRig(t, refuseUIDs(numbers(0, poisons)...))
		start := time.Now()
		var calls sync.WaitGroup
		for _, uid := range numbers(0, poisons) {
			calls.Go(func() {
				for r.Deliver(t.Context(), single(uid)) != nil && time.Since(start) < 24*time.Hour {
					time.Sleep(time.Minute) // virtual time
				}
			})
		}
		calls.Go(func() {
			for i := range 3 {
				time.Sleep(time.Hour) // virtual time
				if err := r.Deliver(t.Context(), single(strconv.Itoa(poisons+i))); err != nil {
					t.Error(err)
				}
			}
		})
		calls.Wait()
		require.Less(t, time.Since(start), 3*time.Hour+time.Minute, "the first acceptance is enough")
		require.Equal(t, numbers(poisons, poisons+3), r.backend.accepted)
		require.Equal(t, poisons, r.store.Len())
		require.Equal(t, int64(poisons), r.quarantines.Load())
		require.Zero(t, r.loners.len())
	})
}

// len is how many records are remembered.
func (l *loners) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.marks)
}

func TestManyRecordsEachAloneAreAllFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const poisons = 20
		r := newRig(t, refuseUIDs(numbers(0, poisons)...))
		for _, uid := range numbers(0, poisons) {
			require.ErrorIs(t, r.Deliver(t.Context(), single(uid)), ErrRefusedAlone)
		}
		require.NoError(t, r.Deliver(t.Context(), single("99")))
		for _, uid := range numbers(0, poisons) {
			require.NoError(t, r.Deliver(t.Context(), single(uid)))
		}
		require.Equal(t, poisons, r.store.Len())
		require.Zero(t, r.loners.len())
	})
}

func TestRecordWithoutUIDIsKnownByAllOfIt(t *testing.T) {
	tests := []struct {
		name string
		back plog.Logs
		want error
	}{
		{"the same", anonymous("eu10", "a", "poison"), nil},
		{"another resource", anonymous("eu20", "a", "poison"), ErrRefusedAlone},
		{"another scope", anonymous("eu10", "b", "poison"), ErrRefusedAlone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, refuseBody("poison"))
				require.ErrorIs(t, r.Deliver(t.Context(), anonymous("eu10", "a", "poison")), ErrRefusedAlone)
				require.NoError(t, r.Deliver(t.Context(), anonymous("eu10", "a", "fine")))
				require.ErrorIs(t, r.Deliver(t.Context(), tt.back), tt.want)
				require.Equal(t, tt.want == nil, r.store.Len() == 1)
			})
		})
	}
}

func TestRecordAcceptedInALargerCallIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := true
		r := newRig(t, func(logs plog.Logs) error {
			if refused {
				return refuseUIDs("3")(logs)
			}
			return nil
		})
		require.ErrorIs(t, r.Deliver(t.Context(), single("3")), ErrRefusedAlone)
		refused = false
		require.NoError(t, r.Deliver(t.Context(), makeLogs(8)))
		require.Zero(t, r.loners.len())

		refused = true
		require.ErrorIs(t, r.Deliver(t.Context(), single("3")), ErrRefusedAlone)
		require.Zero(t, r.store.Len(), "what happened before it was accepted does not count")
	})
}

func TestReturnedRecordThatTheQuarantineCannotTakeIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, refuseUIDs("0"), func(s *Settings) {
			s.Quarantine = openStore(t, crashtest.NewDisk().Client(), quarantine.Limits{Bytes: 1})
		})
		require.ErrorIs(t, r.Deliver(t.Context(), single("0")), ErrRefusedAlone)
		require.NoError(t, r.Deliver(t.Context(), single("8")))
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
		defer cancel()
		require.ErrorIs(t, r.Deliver(ctx, single("0")), context.DeadlineExceeded)
		require.Zero(t, r.quarantines.Load())
		require.ErrorIs(t, r.problems[len(r.problems)-1], quarantine.ErrFull)
		require.Equal(t, 1, r.loners.len(), "it is still under suspicion when it comes back")
	})
}

func TestRememberedRecordsAreBounded(t *testing.T) {
	var l loners
	for i := range maxAlone {
		l.remember(single(strconv.Itoa(i)), int64(i))
	}
	l.remember(single("0"), 7)
	for i := range 10 {
		l.remember(single("new "+strconv.Itoa(i)), 1)
	}
	require.Equal(t, maxAlone, l.len())
	require.Len(t, l.order, maxAlone)
	for i := 1; i <= 10; i++ {
		_, ok := l.recall(single(strconv.Itoa(i)))
		require.False(t, ok, "the oldest go first")
	}
	for uid, want := range map[string]int64{"0": 7, "11": 11, "new 9": 1} {
		mark, ok := l.recall(single(uid))
		require.True(t, ok, uid)
		require.Equal(t, want, mark, uid)
	}
}

func TestCallReducedToAReturnedRecordNeedsFewerRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(logs plog.Logs) error {
			if logs.LogRecordCount() > 1 {
				return consumererror.NewLogs(errTransient, only(logs, "4"))
			}
			return errPermanent
		})
		require.ErrorIs(t, r.Deliver(t.Context(), single("4")), ErrRefusedAlone)
		before := r.backend.calls
		logs := makeLogs(6)
		require.NoError(t, r.Deliver(t.Context(), logs))
		require.Equal(t, 1+refusalsBeforeBisect, r.backend.calls-before)
		require.Equal(t, []string{"4"}, r.quarantined(t, logs))
		r.requireOnce(t, 6, logs)
		require.Zero(t, r.loners.len())
	})
}
