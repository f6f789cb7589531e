// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

var impatient = map[string]func(*Settings){
	"retry disabled": func(s *Settings) { s.Retry.Enabled = false },
	"ten seconds":    func(s *Settings) { s.Retry.MaxElapsedTime = 10 * time.Second },
	"five minutes":   func(s *Settings) { s.Retry.MaxElapsedTime = 5 * time.Minute },
}

func TestNeighboursOfARefusedRecordArriveHoweverSoonRetryingEnds(t *testing.T) {
	for name, change := range impatient {
		for _, err := range []error{errTransient, errPermanent} {
			t.Run(fmt.Sprint(name, " permanent ", consumererror.IsPermanent(err)), func(t *testing.T) {
				virtualtime.Test(t, func(t *testing.T) {
					r := newRig(t, func(logs plog.Logs) error {
						if has(logs, "4") {
							return err
						}
						return nil
					}, change)
					logs := makeLogs(100)
					out, err := r.DeliverOutcome(t.Context(), logs)
					require.ErrorIs(t, err, ErrRefusedAlone)
					require.Equal(t, []string{"4"}, uids(out.Left))
					require.Len(t, r.backend.accepted, 99)
					require.NoError(t, r.insist(t.Context(), out.Left))
					r.requireOnce(t, 100, logs)
				})
			})
		}
	}
}

func TestOutcomeNamesWhatIsLeft(t *testing.T) {
	for name, change := range impatient {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, func(logs plog.Logs) error {
					return consumererror.NewLogs(errTransient, only(logs, "1", "5"))
				}, change)
				out, err := r.DeliverOutcome(t.Context(), makeLogs(8))
				require.Error(t, err)
				require.Equal(t, only(makeLogs(8), "1", "5"), merge([]plog.Logs{out.Left}), "the originals")
				require.Len(t, r.backend.accepted, 6)
			})
		})
	}
}

func TestGivingUpOnABackendThatIsDownIsOneLineAndFewOffers(t *testing.T) {
	for _, n := range []int{1, 100} {
		virtualtime.Test(t, func(t *testing.T) {
			down := true
			r := newRig(t, func(plog.Logs) error {
				if down {
					return errPermanent
				}
				return nil
			}, impatient["retry disabled"])
			logs := makeLogs(n)
			for range 100 {
				require.Error(t, r.Deliver(t.Context(), logs))
				time.Sleep(time.Minute)
			}
			require.Len(t, r.logs.FilterLevelExact(zapcore.WarnLevel).All(), 1)
			require.Less(t, r.backend.calls, 300)
			require.Len(t, r.problems, 1)
			down = false
			require.NoError(t, r.Deliver(t.Context(), logs))
			require.Zero(t, r.store.Len())
			require.NoError(t, r.problems[len(r.problems)-1])
		})
	}
}
