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
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// badNode refuses a share of all calls, whatever they hold, until it is mended.
func badNode(share float64, err error, mended func() bool) func(plog.Logs) error {
	random := rand.New(rand.NewPCG(1, 2))
	return func(plog.Logs) error {
		if !mended() && random.Float64() < share {
			return err
		}
		return nil
	}
}

func never() bool { return false }

func TestBadNodeBehindALoadBalancerQuarantinesNothing(t *testing.T) {
	for _, share := range []float64{0.67, 0.5, 0.33, 0.2} {
		for name, err := range map[string]error{"permanent": errPermanent, "transient": errTransient} {
			t.Run(fmt.Sprint(name, " ", share), func(t *testing.T) {
				virtualtime.Test(t, func(t *testing.T) {
					const pages, size = 200, 100
					r := newRig(t, badNode(share, err, never), func(s *Settings) { s.Jitter = rand.Float64 })
					start := time.Now()
					for range pages {
						require.NoError(t, r.insist(t.Context(), makeLogs(size)))
					}
					require.Zero(t, r.quarantines.Load())
					require.Len(t, r.backend.accepted, pages*size)
					require.Less(t, time.Since(start), pages*3*time.Minute)
				})
			})
		}
	}
}

func TestBadNodeQuarantinesNoSingleRecordsOfConcurrentCalls(t *testing.T) {
	for _, share := range []float64{0.5, 0.33, 0.2} {
		t.Run(fmt.Sprint(share), func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, badNode(share, errPermanent, never), func(s *Settings) { s.Jitter = rand.Float64 })
				var callers sync.WaitGroup
				for caller := range 4 {
					callers.Go(func() {
						for i := range 250 {
							if err := r.insist(t.Context(), single(fmt.Sprint(caller, ".", i))); err != nil {
								t.Error(err)
							}
						}
					})
				}
				callers.Wait()
				require.Zero(t, r.quarantines.Load())
				require.Len(t, r.backend.accepted, 1000)
				require.Zero(t, r.suspects.held())
			})
		})
	}
}

func TestPoisonIsFoundInEveryPosition(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8, 13} {
		for position := range n {
			for _, jitter := range []float64{0, 0.99} { // both orders of the halves
				virtualtime.Test(t, func(t *testing.T) {
					poison := strconv.Itoa(position)
					r := newRig(t, refuseUIDs(poison), func(s *Settings) { s.Jitter = func() float64 { return jitter } })
					logs := makeLogs(n)
					_, err := r.DeliverOutcome(t.Context(), logs)
					require.ErrorIs(t, err, ErrRefusedAlone)
					require.Len(t, r.backend.accepted, n-1, "the neighbours of record %d of %d do not wait for it", position, n)
					require.NoError(t, r.insist(t.Context(), only(logs, poison)))
					require.Equal(t, []string{poison}, r.quarantined(t, logs), "poison %d of %d", position, n)
					r.requireOnce(t, n, logs)
					require.NoError(t, r.problems[len(r.problems)-1])
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
			virtualtime.Test(t, func(t *testing.T) {
				poison := []string{strconv.Itoa(a), strconv.Itoa(b)}
				r := newRig(t, refuseUIDs(poison...))
				logs := makeLogs(n)
				require.NoError(t, r.insist(t.Context(), logs))
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
	}{
		{"one", []string{"77"}, time.Hour},
		{"every tenth", every(10, n), time.Hour},
		{"first half", numbers(0, n/2), 12 * time.Hour},
		{"all but one", numbers(1, n), 48 * time.Hour},
		{"all", numbers(0, n), 48 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, 2))
				r := newRig(t, refuseUIDs(tt.poison...), func(s *Settings) { s.Jitter = random.Float64 })
				logs := makeLogs(n)
				start := time.Now()
				require.NoError(t, r.insist(t.Context(), logs))
				require.ElementsMatch(t, tt.poison, r.quarantined(t, logs))
				r.requireOnce(t, n, logs)
				require.Less(t, time.Since(start), tt.within)
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

// Whatever a refusal calls itself: a record is put aside only after many of them over minutes, with others accepted between.
func TestPoisonIsConvictedLateAndByOthers(t *testing.T) {
	for name, tt := range map[string]struct {
		err      error
		refusals int
		after    time.Duration
		within   time.Duration
	}{
		"permanent": {errPermanent, convictingRefusals, convictingTime, time.Hour},
		"transient": {errTransient, convictingTransients, convictingPatience, 4 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, func(logs plog.Logs) error {
					if has(logs, "0") {
						return tt.err
					}
					return nil
				})
				start := time.Now()
				_, err := r.DeliverOutcome(t.Context(), makeLogs(100))
				require.ErrorIs(t, err, ErrRefusedAlone)
				require.Less(t, time.Since(start), 90*time.Second, "neighbours wait no longer")
				require.Len(t, r.backend.accepted, 99)

				for range 200 { // nothing else is accepted
					require.ErrorIs(t, r.Deliver(t.Context(), single("0")), ErrRefusedAlone)
					time.Sleep(time.Minute)
				}
				require.Zero(t, r.store.Len())

				r.backend.calls = 0
				start = time.Now()
				require.NoError(t, r.insist(t.Context(), single("0")))
				require.Equal(t, 1, r.store.Len())
				require.GreaterOrEqual(t, r.backend.calls, tt.refusals-2)
				require.Greater(t, time.Since(start), 5*time.Minute)
				require.Less(t, time.Since(start), tt.within)
				require.Zero(t, r.suspects.held())
				require.NoError(t, r.problems[len(r.problems)-1])
			})
		})
	}
}

func TestBackendThatIsDownQuarantinesNothingAndIsLeftInPeace(t *testing.T) {
	for _, crowded := range []bool{false, true} {
		for name, err := range map[string]error{
			"permanent": errPermanent, "transient": errTransient,
			"too many requests": consumererror.NewPermanent(consumererror.NewOTLPHTTPError(errTransient, 429)),
		} {
			for _, n := range []int{1, 2, 5, 100} {
				t.Run(fmt.Sprint(name, " ", n, " crowded ", crowded), func(t *testing.T) {
					virtualtime.Test(t, func(t *testing.T) {
						const outage = 8 * time.Hour
						start := time.Now()
						r := newRig(t, func(plog.Logs) error {
							if time.Since(start) < outage {
								return err
							}
							return nil
						}, func(s *Settings) { s.Crowded = func() bool { return crowded } })
						logs := makeLogs(n)
						require.NoError(t, r.insist(t.Context(), logs))
						require.Zero(t, r.store.Len())
						r.requireOnce(t, n, logs)
						require.Greater(t, r.backend.calls, int(outage/(10*time.Minute)), "it keeps trying")
						require.Less(t, r.backend.calls, 3*int(outage/(30*time.Second)), "looking for poison does not multiply the load")
						require.Less(t, time.Since(start), outage+6*time.Minute, "it notices the recovery")
					})
				})
			}
		}
	}
}

func TestOutageInTheMiddleOfTakingApartAccusesNobody(t *testing.T) {
	for _, n := range []int{32, 100} {
		for _, outage := range []time.Duration{20 * time.Second, 10 * time.Minute, 10 * time.Hour} {
			for up := 1; up <= 12; up++ {
				t.Run(fmt.Sprint(n, " for ", outage, " after ", up), func(t *testing.T) {
					virtualtime.Test(t, func(t *testing.T) {
						var down time.Time
						offers := 0
						r := newRig(t, func(logs plog.Logs) error {
							if offers++; offers == 3+up {
								down = time.Now()
							}
							if !down.IsZero() && time.Since(down) < outage {
								return errPermanent
							}
							return refuseUIDs("9")(logs)
						})
						logs := makeLogs(n)
						require.NoError(t, r.insist(t.Context(), logs))
						r.requireOnce(t, n, logs)
						require.Equal(t, []string{"9"}, r.quarantined(t, logs))
					})
				})
			}
		}
	}
}

func TestOneAcceptanceClearsASuspect(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		refused := true
		r := newRig(t, func(logs plog.Logs) error {
			if refused {
				return refuseUIDs("3")(logs)
			}
			return nil
		})
		bring := func() {
			for n := range convictingRefusals - 2 {
				require.ErrorIs(t, r.Deliver(t.Context(), single("3")), ErrRefusedAlone)
				time.Sleep(time.Minute)
				r.another(t.Context(), n)
			}
		}
		bring()
		refused = false
		require.NoError(t, r.Deliver(t.Context(), makeLogs(8)))
		require.Zero(t, r.suspects.held())
		refused = true
		bring()
		require.Zero(t, r.store.Len(), "what happened before it was accepted does not count")
	})
}

func TestRecordWithoutUIDIsKnownByAllOfIt(t *testing.T) {
	tests := []struct {
		name  string
		back  plog.Logs
		known bool
	}{
		{"the same", anonymous("eu10", "a"), true},
		{"another resource", anonymous("eu20", "a"), false},
		{"another scope", anonymous("eu10", "b"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, refuseBody("poison"))
				require.ErrorIs(t, r.Deliver(t.Context(), anonymous("eu10", "a")), ErrRefusedAlone)
				others, suspected, _ := r.suspects.separate(tt.back, 0)
				require.Equal(t, tt.known, len(suspected) == 1)
				require.Equal(t, tt.known, len(others) == 0)
			})
		})
	}
}

func TestSuspectsAreBoundedAndForgotten(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		var l suspects
		for i := range maxSuspects + 10 {
			l.refused(single(strconv.Itoa(i)), true, true, int64(i))
		}
		require.Equal(t, maxSuspects, l.held())
		_, suspected, _ := l.separate(makeLogs(20), 0)
		require.Len(t, suspected, 10, "the oldest went first")
		time.Sleep(suspectIdle + time.Second)
		require.Zero(t, l.held(), "what does not come back is no trouble any more")
	})
}

func TestSuspectsAreOfferedInTurn(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		const n = 3 * maxAlone
		r := newRig(t, refuseUIDs(numbers(0, n)...))
		for _, uid := range numbers(0, n) {
			r.suspects.refused(single(uid), true, true, 0)
		}
		time.Sleep(time.Minute)
		offered := map[string]int{}
		for range 3 {
			r.backend.calls, r.backend.sizes = 0, nil
			decide := r.backend.decide
			r.backend.decide = func(logs plog.Logs) error { offered[uids(logs)[0]]++; return decide(logs) }
			require.ErrorIs(t, r.Deliver(t.Context(), makeLogs(n)), ErrRefusedAlone)
			r.backend.decide = decide
			require.Equal(t, slices.Repeat([]int{1}, maxAlone), r.backend.sizes)
			time.Sleep(time.Minute)
		}
		require.Len(t, offered, n, "each had its turn")
	})
}

func TestRefusedRecordsAreToldOnceAndShownUntilTheyAreThrough(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, refuseUIDs("3"))
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		require.Error(t, r.insist(ctx, makeLogs(8)))
		require.NoError(t, r.Deliver(t.Context(), single("9")))
		require.Len(t, r.problems, 2)
		require.ErrorIs(t, r.problems[1], errHeld, "single records, not everything")
		require.LessOrEqual(t, r.logs.FilterLevelExact(zapcore.WarnLevel).Len(), 4)

		require.NoError(t, r.insist(t.Context(), single("3")))
		require.NoError(t, r.problems[len(r.problems)-1])
		require.Len(t, r.logs.FilterMessageSnippet("were put into the quarantine").All(), 1)
		r.requireNoCanary(t)
	})
}

func TestTransientAndPermanentRefusalsMayTakeTurns(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		calls := 0
		r := newRig(t, func(logs plog.Logs) error {
			if calls++; !has(logs, "4") {
				return nil
			}
			return []error{errTransient, errPermanent, errors.Join(errTransient, errPermanent)}[calls%3]
		})
		logs := makeLogs(16)
		start := time.Now()
		out, err := r.DeliverOutcome(t.Context(), logs)
		require.ErrorIs(t, err, ErrRefusedAlone)
		require.Equal(t, []string{"4"}, uids(out.Left))
		require.Less(t, time.Since(start), 2*time.Minute)
		require.NoError(t, r.insist(t.Context(), out.Left))
		r.requireOnce(t, 16, logs)
	})
}
