// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
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

func TestOnlyRefusalsInARowCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		r := newRig(t, func(plog.Logs) error {
			calls++
			switch {
			case calls > 60:
				return nil
			case calls%3 == 0:
				return errTransient
			default:
				return errPermanent
			}
		})
		require.NoError(t, r.Deliver(t.Context(), makeLogs(8)))
		require.Equal(t, slices.Repeat([]int{8}, 61), r.backend.sizes)
	})
}

func TestBackendThatRefusesEverythingIsDown(t *testing.T) {
	for _, n := range []int{2, 5, 100} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const outage = 8 * time.Hour
				start := time.Now()
				r := newRig(t, func(plog.Logs) error {
					if time.Since(start) < outage {
						return errPermanent
					}
					return nil
				})
				logs := makeLogs(n)
				require.NoError(t, r.Deliver(t.Context(), logs))
				require.Empty(t, r.quarantined(t, logs))
				r.requireOnce(t, n, logs)

				pauses := int(outage / (30 * time.Second))
				require.Greater(t, r.backend.calls, pauses, "it keeps trying")
				require.Less(t, r.backend.calls, 5*pauses/2, "looking for poison does not multiply the load")
				require.Less(t, time.Since(start), outage+time.Minute, "it notices the recovery at once")
			})
		})
	}
}

func TestOutageInTheMiddleOfABisectAccusesNobody(t *testing.T) {
	tests := []struct {
		name   string
		n      int
		from   int // offers of the bisect that are answered truly, at least
		to     int // and at most
		outage time.Duration
	}{
		{"a short one at any moment", 32, 1, 12, 20 * time.Second},
		{"a long one while much is undecided", 100, 1, 4, 10 * time.Minute},
	}
	for _, tt := range tests {
		for up := tt.from; up <= tt.to; up++ {
			t.Run(fmt.Sprint(tt.name, " after ", up), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var down time.Time
					offers := 0
					r := newRig(t, func(logs plog.Logs) error {
						if offers++; offers == 4+up {
							down = time.Now()
						}
						if !down.IsZero() && time.Since(down) < tt.outage {
							return errPermanent
						}
						return refuseUIDs("9")(logs)
					})
					logs := makeLogs(tt.n)
					require.NoError(t, r.Deliver(t.Context(), logs))
					r.requireOnce(t, tt.n, logs)
					require.Equal(t, []string{"9"}, r.quarantined(t, logs))
				})
			})
		}
	}
}

func TestTransientErrorInTheMiddleOfABisectProvesNothing(t *testing.T) {
	const n = 16
	for at := 4; at <= 14; at++ {
		synctest.Test(t, func(t *testing.T) {
			offers := 0
			r := newRig(t, func(logs plog.Logs) error {
				if offers++; offers == at {
					return errTransient
				}
				return refuseUIDs("6", "7")(logs)
			})
			logs := makeLogs(n)
			require.NoError(t, r.Deliver(t.Context(), logs))
			r.requireOnce(t, n, logs)
			require.ElementsMatch(t, []string{"6", "7"}, r.quarantined(t, logs))
			require.Greater(t, r.backend.times[at].Sub(r.backend.times[at-1]), time.Second, "the bisect stops at once")
		})
	}
}

func TestAccusedRecordThatIsAcceptedLaterIsNoPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := newRig(t, func(logs plog.Logs) error {
			if time.Since(start) < 15*time.Second {
				return refuseUIDs("3")(logs)
			}
			return nil
		})
		logs := makeLogs(8)
		require.NoError(t, r.Deliver(t.Context(), logs))
		require.Greater(t, r.backend.calls, 4, "the batch was taken apart")
		require.Empty(t, r.quarantined(t, logs))
		r.requireOnce(t, 8, logs)
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
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
					defer cancel()
					r := newRig(t, refuseUIDs(poison...), func(s *Settings) { s.Quarantine = tt.open(t) })
					require.ErrorIs(t, r.Deliver(ctx, makeLogs(6)), context.DeadlineExceeded)

					require.Zero(t, r.quarantines.Load())
					require.Len(t, r.backend.accepted, 6-len(poison), "the others are through")
					require.Less(t, r.backend.calls, 2*6*120)
					require.Len(t, r.problems, 2)
					require.ErrorIs(t, r.problems[1], tt.want)
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
	synctest.Test(t, func(t *testing.T) {
		disk := crashtest.NewDisk()
		store := openStore(t, disk.Client(), quarantine.Limits{Entries: 1})
		require.NoError(t, store.Put(t.Context(), quarantine.Entry{Data: []byte("old")}))
		r := newRig(t, refuseUIDs("1"), func(s *Settings) { s.Quarantine = store })
		done := make(chan error)
		go func() { done <- r.Deliver(t.Context(), makeLogs(4)) }()
		time.Sleep(time.Hour) // virtual time
		require.NoError(t, store.Delete(t.Context(), 1))
		start := time.Now()
		require.NoError(t, <-done)
		require.Less(t, time.Since(start), 10*time.Minute)
		require.Equal(t, int64(1), r.quarantines.Load())
		require.Equal(t, 1, store.Len())
		require.NoError(t, r.problems[len(r.problems)-1])
	})
}

func TestPoisonIsToldOnceInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, refuseUIDs(numbers(10, 20)...))
		logs := makeLogs(40)
		require.NoError(t, r.Deliver(t.Context(), logs))
		require.Len(t, r.quarantined(t, logs), 10)
		told := r.logs.FilterMessageSnippet("quarantine").All()
		require.Len(t, told, 1)
		require.Equal(t, int64(10), told[0].ContextMap()["records"])
		r.requireNoCanary(t)
	})
}

func TestRandomConsumersLoseAndRepeatNothing(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			n := 1 + random.IntN(40)
			var poison []string
			for random.IntN(3) > 0 && len(poison) < n {
				poison = append(poison, strconv.Itoa(random.IntN(n)))
			}
			moods := random.IntN(4) // of ten calls that many are answered at random
			decide := func(logs plog.Logs) error {
				if logs.LogRecordCount() == 0 {
					t.Error("an empty batch was offered")
				}
				if random.IntN(10) < moods {
					switch random.IntN(4) {
					case 0:
						return errTransient
					case 1:
						return errPermanent
					case 2:
						return errors.Join(errTransient, consumererror.NewLogs(errPermanent, only(logs, "0")))
					default:
						failed := pick(logs, func(plog.LogRecord) bool { return random.IntN(2) == 0 })
						return consumererror.NewLogs([]error{errTransient, errPermanent}[random.IntN(2)], failed)
					}
				}
				return refuseUIDs(poison...)(logs)
			}
			mutating := random.IntN(2) == 0
			r := newRig(t, func(logs plog.Logs) error {
				err := decide(logs)
				if mutating {
					mutate(logs)
				}
				return err
			}, func(s *Settings) { s.Jitter = random.Float64 })
			r.mutates = mutating
			logs := makeLogs(n)

			slices.Sort(poison)
			poison = slices.Compact(poison)
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
			defer cancel()
			err := r.Deliver(ctx, logs)
			if err != nil {
				require.Len(t, poison, n, "seed %d: %v although something could be delivered", seed, err)
				require.Empty(t, r.backend.accepted, "seed %d", seed)
				require.Zero(t, r.store.Len(), "seed %d", seed)
				require.Equal(t, n == 1, errors.Is(err, ErrRefusedAlone), "seed %d", seed)
				return
			}
			r.requireOnce(t, n, makeLogs(n))
			quarantined := r.quarantined(t, makeLogs(n))
			if moods == 0 {
				require.ElementsMatch(t, poison, quarantined, "seed %d", seed)
			}
			for _, uid := range poison {
				// A random answer that accepts a part may accept a poisoned record too.
				require.NotEqual(t, slices.Contains(quarantined, uid), slices.Contains(r.backend.accepted, uid), "seed %d", seed)
			}
			r.requireNoCanary(t)
		})
	}
}
