// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stride is the distance of the pairs of points that are tried.
func stride(t *testing.T) int { return setting(t, "E2E_STRIDE", 4) }

func number(n int) string { return strconv.Itoa(n) }

// setting reads a number from the environment.
func setting(t *testing.T, variable string, fallback int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, variable)
	return n
}

// One life after the other is killed at a random moment, on the same disk, while events keep coming.
func TestKillsAtRandomMoments(t *testing.T) {
	t.Parallel()
	seed := setting(t, "E2E_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("E2E_SEED=%d repeats the random moments of this run", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	w := newBusy(t)
	start := time.Now()
	require.False(t, w.live(saasLife(), nil))
	usual := time.Since(start)
	for range setting(t, "E2E_KILLS", 12) {
		w.enqueue(3)
		p := w.begin(saasLife(stay), nil)
		<-time.After(time.Duration(random.Int64N(int64(usual))))
		p.Kill()
		require.True(t, p.end())
	}
	w.settle(saasLife())
	t.Logf("%d kills, %d reads in doubt", w.kills, w.doubt)
}
