// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// However requests come, and although they take differently long to the server, it never sees more of them within a second.
func TestTheServerNeverSeesMoreRequestsASecondThanAllowed(t *testing.T) {
	for name, pause := range map[string]time.Duration{"at once": 0, "with pauses": 300 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const allowed, requests = 8, 400
				p := newPacer(allowed)
				random := rand.New(rand.NewPCG(1, 2))
				var mu sync.Mutex
				var arrivals []time.Time
				var readers sync.WaitGroup
				began := time.Now()
				for range 4 {
					readers.Go(func() {
						for range requests / 4 {
							require.NoError(t, p.wait(t.Context()))
							mu.Lock()
							way, idle := time.Duration(random.Int64N(int64(earlier))), time.Duration(random.Int64N(int64(pause)+1))
							mu.Unlock()
							time.Sleep(way)
							mu.Lock()
							arrivals = append(arrivals, time.Now())
							mu.Unlock()
							time.Sleep(idle)
						}
					})
				}
				readers.Wait()
				for i := allowed; i < len(arrivals); i++ {
					require.Greater(t, arrivals[i].Sub(arrivals[i-allowed]), time.Second)
				}
				if pause == 0 {
					require.Less(t, time.Since(began), requests*time.Second/allowed*103/100, "and hardly fewer")
				}
			})
		})
	}
}

func TestWhoGivesUpWaitingTakesNoTurn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPacer(0.01)
		require.NoError(t, p.wait(t.Context()))
		began := time.Now()
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, p.wait(ctx), context.DeadlineExceeded)
			cancel()
		}
		require.NoError(t, p.wait(t.Context()))
		require.InDelta(t, 102*time.Second, time.Since(began), 0)
	})
}

func TestARateNextToNothingIsNoRateWithoutLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPacer(1e-15)
		require.NoError(t, p.wait(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		require.ErrorIs(t, p.wait(ctx), context.DeadlineExceeded)
	})
}
