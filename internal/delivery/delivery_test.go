// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// failing refuses the first n calls with err.
func failing(n int, err error) func(plog.Logs) error {
	return func(plog.Logs) error {
		if n > 0 {
			n--
			return err
		}
		return nil
	}
}

func TestAcceptedLogsAreOfferedOnce(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, failing(0, nil))
		start := time.Now()
		require.NoError(t, r.Deliver(t.Context(), makeLogs(10)))
		require.Zero(t, time.Since(start))
		require.Equal(t, 1, r.backend.calls)
		require.Equal(t, numbers(0, 10), r.backend.accepted)
		require.Empty(t, r.problems)
		require.Zero(t, r.logs.Len())
	})
}

func TestNothingIsNotOffered(t *testing.T) {
	r := newRig(t, failing(0, nil))
	require.NoError(t, r.Deliver(t.Context(), plog.NewLogs()))
	require.Zero(t, r.backend.calls)
}

func TestEveryErrorMeansNotDelivered(t *testing.T) {
	errs := map[string]error{
		"plain":     errTransient,
		"permanent": errPermanent,
		"joined":    errors.Join(errPermanent, errTransient),
		"context":   context.DeadlineExceeded,
		"HTTP":      consumererror.NewOTLPHTTPError(errTransient, 400),
	}
	for name, err := range errs {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, failing(2, err))
				start := time.Now()
				require.NoError(t, r.Deliver(t.Context(), makeLogs(3)))
				require.Equal(t, 5*time.Second+7500*time.Millisecond, time.Since(start))
				require.Equal(t, []int{3, 3, 3}, r.backend.sizes)
				require.Equal(t, numbers(0, 3), r.backend.accepted)
				r.requireNoCanary(t)
			})
		})
	}
}

func TestPausesGrowToTheirCapAndNeverEnd(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, failing(1000, errTransient))
		start := time.Now()
		require.NoError(t, r.insist(t.Context(), makeLogs(2)))
		require.Greater(t, time.Since(start), 10*time.Hour)

		var pauses []time.Duration
		for i := range 5 {
			pauses = append(pauses, r.backend.times[i+1].Sub(r.backend.times[i]).Round(time.Millisecond))
		}
		require.Equal(t, []time.Duration{
			5 * time.Second, 7500 * time.Millisecond, 11250 * time.Millisecond, 16875 * time.Millisecond, 25313 * time.Millisecond,
		}, pauses)
		for i, at := range r.backend.times[:r.backend.calls-1] {
			require.LessOrEqual(t, r.backend.times[i+1].Sub(at), 6*time.Minute, "call %d", i)
		}
		require.ElementsMatch(t, numbers(0, 2), r.backend.accepted)
		require.Zero(t, r.store.Len())
	})
}

func TestJitterSpreadsPauses(t *testing.T) {
	for jitter, want := range map[float64]time.Duration{0: 2500 * time.Millisecond, 0.75: 6250 * time.Millisecond} {
		virtualtime.Test(t, func(t *testing.T) {
			r := newRig(t, failing(1, errTransient), func(s *Settings) { s.Jitter = func() float64 { return jitter } })
			start := time.Now()
			require.NoError(t, r.Deliver(t.Context(), makeLogs(2)))
			require.Equal(t, want, time.Since(start))
		})
	}
}

func TestZeroRetrySettingsDoNotSpin(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, failing(100, errTransient), func(s *Settings) {
			s.Retry.InitialInterval, s.Retry.MaxInterval, s.Retry.Multiplier, s.Retry.RandomizationFactor = 0, 0, 0, 0
		})
		start := time.Now()
		require.NoError(t, r.Deliver(t.Context(), makeLogs(2)))
		require.Equal(t, 100*time.Millisecond, time.Since(start))
	})
}

func TestGivingUp(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Settings)
		calls  int
	}{
		{"retry disabled", func(s *Settings) { s.Retry.Enabled = false }, 1},
		{"time is up", func(s *Settings) { s.Retry.MaxElapsedTime = 30 * time.Second }, 4}, // after 0, 5, 12.5, 23.75 s
	}
	for _, tt := range tests {
		for _, err := range []error{errTransient, errPermanent} {
			t.Run(fmt.Sprint(tt.name, " permanent ", consumererror.IsPermanent(err)), func(t *testing.T) {
				virtualtime.Test(t, func(t *testing.T) {
					r := newRig(t, failing(1000, err), tt.change)
					got := r.Deliver(t.Context(), makeLogs(1))
					require.ErrorIs(t, got, ErrGaveUp)
					require.ErrorIs(t, got, err)
					require.NotContains(t, got.Error(), canary)
					require.Equal(t, tt.calls, r.backend.calls)
					require.Zero(t, r.store.Len())
				})
			})
		}
	}
}

func TestShutdownEndsTheWaiting(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		r := newRig(t, failing(1000, errTransient))
		start := time.Now()
		err := r.Deliver(ctx, makeLogs(3))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 7*time.Second, time.Since(start))
		require.Equal(t, 2, r.backend.calls)
	})
}

func TestNothingIsOfferedAfterShutdown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := newRig(t, failing(0, nil))
	require.ErrorIs(t, r.Deliver(ctx, makeLogs(3)), context.Canceled)
	require.Zero(t, r.backend.calls)
}

func TestShutdownDuringAnyOfferEndsTheCall(t *testing.T) {
	for last := 1; last <= 12; last++ {
		virtualtime.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			calls := 0
			r := newRig(t, func(logs plog.Logs) error {
				if calls++; calls == last {
					cancel()
				}
				return refuseUIDs("5")(logs)
			})
			logs := makeLogs(8)
			err := r.Deliver(ctx, logs)
			require.LessOrEqual(t, r.backend.calls, last)
			if err == nil {
				r.requireOnce(t, 8, logs)
				return
			}
			require.Zero(t, r.store.Len())
			if !errors.Is(err, context.Canceled) {
				require.ErrorIs(t, err, ErrRefusedAlone, "it was done before")
				require.Len(t, r.backend.accepted, 7)
				return
			}
			require.Equal(t, last, r.backend.calls)
		})
	}
}

func TestProblemIsToldOnChangeOnly(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, failing(191, errTransient))
		require.NoError(t, r.insist(t.Context(), makeLogs(3)))
		require.NoError(t, r.Deliver(t.Context(), makeLogs(3)))

		require.Len(t, r.problems, 2)
		require.EqualError(t, r.problems[0], "the next component refuses log records for now (Unknown); the exporter's log says why")
		require.NoError(t, r.problems[1])

		warnings := r.logs.FilterLevelExact(zapcore.WarnLevel).All()
		require.Len(t, warnings, 6, "one for each pause that is longer than all before")
		require.Equal(t, "5s", warnings[0].ContextMap()["retry_in"])
		require.Equal(t, int64(3), warnings[0].ContextMap()["records"])
		recoveries := r.logs.FilterLevelExact(zapcore.InfoLevel).All()
		require.Len(t, recoveries, 1)
		after, err := time.ParseDuration(recoveries[0].ContextMap()["after"].(string))
		require.NoError(t, err)
		require.Greater(t, after, 22*time.Minute)
		require.Equal(t, 7, r.logs.Len())
		r.requireNoCanary(t)
	})
}

func TestProblemLastsUntilNoCallIsFailing(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		r := newRig(t, func(logs plog.Logs) error {
			if down.Load() && logs.LogRecordCount() == 2 {
				return errTransient
			}
			return nil
		})
		done := make(chan error)
		go func() { done <- r.Deliver(t.Context(), makeLogs(2)) }()
		synctest.Wait()
		require.Len(t, r.problems, 1)
		require.NoError(t, r.Deliver(t.Context(), makeLogs(3)))
		require.Len(t, r.problems, 1, "the other call is still failing")

		down.Store(false)
		require.NoError(t, <-done)
		require.Len(t, r.problems, 2)
		require.NoError(t, r.problems[1])
	})
}

func TestProblemOutlivesACallThatGaveUp(t *testing.T) {
	r := newRig(t, failing(1, errTransient), func(s *Settings) { s.Retry.Enabled = false })
	require.ErrorIs(t, r.Deliver(t.Context(), makeLogs(1)), ErrGaveUp)
	require.Len(t, r.problems, 1)
	require.NoError(t, r.Deliver(t.Context(), makeLogs(1)))
	require.Len(t, r.problems, 2)
	require.NoError(t, r.problems[1])
}

func TestRefusalNamesItsCode(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{errTransient, "for now (Unknown)"},
		{errPermanent, "permanently (Unknown)"},
		{consumererror.NewRetryableError(errTransient), "for now (Unavailable)"},
		{consumererror.NewPermanent(consumererror.NewOTLPHTTPError(errTransient, 401)), "permanently (Unauthenticated)"},
		{consumererror.NewLogs(errTransient, makeLogs(1)), "for now (Unavailable)"},
	}
	for _, tt := range tests {
		got := &refusal{cause: tt.err}
		require.ErrorContains(t, got, tt.want)
		require.NotContains(t, got.Error(), canary)
		require.ErrorIs(t, got, tt.err)
	}
}
