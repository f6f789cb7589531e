// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func TestRandomConsumersLoseAndRepeatNothing(t *testing.T) {
	for seed := range uint64(150) {
		virtualtime.Test(t, func(t *testing.T) {
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
				if strings.HasPrefix(uids(logs)[0], otherCall) {
					return nil
				}
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
			require.NoError(t, r.insist(t.Context(), logs), "seed %d", seed)
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
