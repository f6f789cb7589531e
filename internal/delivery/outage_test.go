// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

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
