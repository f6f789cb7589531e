// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestPoisonIsFoundInEveryPosition(t *testing.T) {
	for _, n := range []int{2, 3, 8, 13} {
		for position := range n {
			for _, jitter := range []float64{0, 0.99} { // both orders of the halves
				synctest.Test(t, func(t *testing.T) {
					poison := strconv.Itoa(position)
					r := newRig(t, refuseUIDs(poison), func(s *Settings) { s.Jitter = func() float64 { return jitter } })
					logs := makeLogs(n)
					start := time.Now()
					require.NoError(t, r.Deliver(t.Context(), logs))
					require.Equal(t, []string{poison}, r.quarantined(t, logs), "poison %d of %d", position, n)
					r.requireOnce(t, n, logs)
					require.Less(t, time.Since(start), time.Minute)
					require.Len(t, r.problems, 2)
					r.requireNoCanary(t)
				})
			}
		}
	}
}

func TestEveryPairOfPoisonsIsFound(t *testing.T) {
	const n = 7
	for a := range n {
		for b := range a {
			synctest.Test(t, func(t *testing.T) {
				poison := []string{strconv.Itoa(a), strconv.Itoa(b)}
				r := newRig(t, refuseUIDs(poison...))
				logs := makeLogs(n)
				require.NoError(t, r.Deliver(t.Context(), logs))
				require.ElementsMatch(t, poison, r.quarantined(t, logs))
				r.requireOnce(t, n, logs)
			})
		}
	}
}

func TestPoisonInALargePageIsFound(t *testing.T) {
	const n = 128
	tests := []struct {
		name   string
		poison []string
		within time.Duration
		calls  int
	}{
		{"one", []string{"77"}, time.Minute, 25},
		{"every tenth", every(10, n), 2 * time.Minute, 150},
		{"first half", numbers(0, n/2), time.Hour, 350},
		{"second half", numbers(n/2, n), time.Hour, 350},
		{"all but one", numbers(1, n), 12 * time.Hour, 2000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, 2))
				bad := map[string]bool{}
				for _, uid := range tt.poison {
					bad[uid] = true
				}
				r := newRig(t, func(logs plog.Logs) error {
					for record := range records(logs) {
						if bad[uidOf(record)] {
							return errPermanent
						}
					}
					return nil
				}, func(s *Settings) { s.Jitter = random.Float64 })
				logs := makeLogs(n)
				start := time.Now()
				require.NoError(t, r.Deliver(t.Context(), logs))
				require.ElementsMatch(t, tt.poison, r.quarantined(t, logs))
				r.requireOnce(t, n, logs)
				require.Less(t, time.Since(start), tt.within)
				require.LessOrEqual(t, r.backend.calls, tt.calls)
			})
		})
	}
}

func every(step, n int) []string {
	var ids []string
	for i := 0; i < n; i += step {
		ids = append(ids, strconv.Itoa(i))
	}
	return ids
}

func TestBatchThatIsOnlyTooLargeIsSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(logs plog.Logs) error {
			if logs.LogRecordCount() > 3 {
				return errPermanent
			}
			return nil
		})
		logs := makeLogs(20)
		require.NoError(t, r.Deliver(t.Context(), logs))
		require.Equal(t, 3+2+4+8, r.backend.calls)
		require.Empty(t, r.quarantined(t, logs))
		r.requireOnce(t, 20, logs)
	})
}

func TestSingleRecordWithoutComparisonIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, refuseUIDs("0"))
		err := r.Deliver(t.Context(), makeLogs(1))
		require.ErrorIs(t, err, ErrRefusedAlone)
		require.Equal(t, refusalsAlone, r.backend.calls)
		require.Zero(t, r.store.Len())

		// With another record beside it the poison is found.
		logs := makeLogs(2)
		require.NoError(t, r.Deliver(t.Context(), logs))
		require.Equal(t, []string{"0"}, r.quarantined(t, logs))
	})
}

func TestSingleRecordIsComparedWithOtherCalls(t *testing.T) {
	other := plog.NewLogs()
	only(makeLogs(9), "8").CopyTo(other)
	tests := []struct {
		name  string
		every time.Duration // between other calls
		until time.Duration
		want  error
	}{
		{"that succeed meanwhile", time.Second, time.Hour, nil},
		{"that succeeded only before the last refusals", time.Second, 4500 * time.Millisecond, ErrRefusedAlone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, refuseUIDs("0"))
				ctx, cancel := context.WithTimeout(t.Context(), tt.until)
				defer cancel()
				stopped := make(chan struct{})
				go func() {
					defer close(stopped)
					for ctx.Err() == nil {
						if err := r.Deliver(context.WithoutCancel(ctx), other); err != nil {
							t.Error(err)
						}
						time.Sleep(tt.every) // virtual time
					}
				}()
				err := r.Deliver(t.Context(), makeLogs(1))
				cancel()
				<-stopped
				require.ErrorIs(t, err, tt.want)
				require.Equal(t, tt.want == nil, r.store.Len() == 1)
			})
		})
	}
}

func TestLastRecordOfAPartlyAcceptedBatchIsComparedWithIt(t *testing.T) {
	for _, err := range []error{errTransient, errPermanent} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(logs plog.Logs) error {
				if logs.LogRecordCount() > 1 {
					return consumererror.NewLogs(err, only(logs, "4"))
				}
				return errPermanent
			})
			logs := makeLogs(6)
			require.NoError(t, r.Deliver(t.Context(), logs))
			require.Equal(t, []string{"4"}, r.quarantined(t, logs))
			r.requireOnce(t, 6, logs)
		})
	}
}
