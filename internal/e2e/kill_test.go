// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// A kill may catch a page, of at most so many events, between its delivery and its checkpoint. Windows are read in parallel,
	// but one page is delivered at a time. A looser bound would let a receiver pass that delivers everything twice.
	repeatsPerKill = 500

	// A kill may catch one read of SaaS Security, of at most so many events, on its way into the spool or out of it.
	eventsPerRead = 100

	killsByDefault = 12
	eventsPerKill  = 800 // of the backfill, so that kills find work
	maxBackfill    = 1_000_000
)

// backfillDays is a little less than the 30 days that the configuration looks back: the Collector starts later than the
// simulator.
const backfillDays = "29.9"

// fast makes late events come soon, for a test that waits for them.
const fast = "receivers::sap_btp_audit: {poll_interval: 500ms, sweeps: [0s, 2s, 4s, 8s], requests_per_second: 8}"

// single makes at most one read of SaaS Security be under way at a time.
const single = "receivers::saas_security: {poll_interval: 500ms, max_readers: 1}"

func TestKillsLoseNothing(t *testing.T) {
	t.Parallel()
	kills := setting(t, "E2E_KILLS", killsByDefault)
	backfill := min(kills*eventsPerKill, maxBackfill)
	k := &killer{
		stand: newStand(t, []string{fast, single}, []string{
			"-backfill", strconv.Itoa(backfill), "-backfill-days", backfillDays, "-rate", "20", "-late", "80:0s-1s,15:1s-4s,5:4s-7s",
			"-ledger", "", "-seed", "7",
		}),
		random: rand.New(rand.NewPCG(seed(t), 0)),
	}
	backlog := 0 // kills that found something to read
	for i := range kills {
		k.start()
		k.strike()
		k.look()
		if state := k.book.State(); state.Arrived < state.Visible {
			backlog++
		}
		if i%100 == 99 {
			t.Logf("%d kills: %+v", i+1, k.book.State())
		}
	}
	k.start()
	cutoff := time.Now()
	k.settle(time.Minute + time.Duration(backfill)*time.Millisecond/2)
	doubt := k.readsInDoubt()
	k.within(time.Minute, "of the queue nothing is missing but what the kills explain", func() bool {
		k.alive()
		k.look()
		return k.saas.Missing(cutoff) <= eventsPerRead*doubt
	})
	k.stop()
	k.look()

	state := k.book.State()
	t.Logf("%d kills, %d of them with a backlog, %d aimed at a delivery, %d batches cut off: %+v", kills, backlog, k.aimed, k.sink.Torn(), state)
	require.Zero(t, state.Unknown, "events that do not exist")
	require.Zero(t, state.Renamed, "events that came again under another log.record.uid")
	require.LessOrEqual(t, state.Repeated, repeatsPerKill*kills, "repeats beyond what kills explain")
	require.Zero(t, k.extra, "a gap was announced although nothing was lost")
	// What SaaS Security hands out is gone there. A kill may catch one read between that and the spool.
	queue := k.saas.State()
	t.Logf("SaaS Security: %d lost, %d reads counted in doubt, %+v", k.saas.Missing(cutoff), doubt, queue)
	require.LessOrEqual(t, doubt, kills, "one read is open at a time")
	require.Zero(t, queue.Unknown, "events that do not exist")
	require.Zero(t, queue.Renamed, "events that came again under another log.record.uid")
	require.LessOrEqual(t, queue.Repeated, 2*eventsPerRead*kills, "repeats beyond what kills explain: one reply of each of two deliveries")
	require.GreaterOrEqual(t, queue.Arrived, 2000-eventsPerRead*kills)
	// A run that found nothing to disturb has proved nothing.
	require.GreaterOrEqual(t, state.Arrived, backfill)
	require.GreaterOrEqual(t, kills, min(killsByDefault, setting(t, "E2E_KILLS", killsByDefault)))
	require.GreaterOrEqual(t, backlog, kills/3)
	require.GreaterOrEqual(t, k.aimed, kills/5)
}

// inDoubt is the line of a start that follows a kill, with the number of reads that may have been open.
var inDoubt = regexp.MustCompile(`The last run ended without a shutdown while reads may have been open.*"reads": (\d+)`)

// readsInDoubt is how many reads of SaaS Security all starts have counted. Their metrics are gone with the next kill.
func (s *stand) readsInDoubt() (total int) {
	s.t.Helper()
	log, err := os.ReadFile(s.path("otelcol-audit.log"))
	require.NoError(s.t, err)
	for _, line := range inDoubt.FindAllStringSubmatch(string(log), -1) {
		n, err := strconv.Atoi(line[1])
		require.NoError(s.t, err)
		total += n
	}
	return total
}

// killer kills the Collector at random moments.
type killer struct {
	*stand

	random *rand.Rand
	aimed  int // kills right after something was delivered
}

// strike lets the Collector work for a while and kills it: soon after its start, somewhere in its work, or just when it has
// delivered something and may not have saved that yet.
func (k *killer) strike() {
	k.t.Helper()
	switch draw := k.random.Float64(); {
	case draw < 0.15:
		k.pause(300 * time.Millisecond)
	case draw < 0.45:
		k.pause(1500 * time.Millisecond)
	default:
		if k.delivery(time.Minute) { // a busy machine takes many seconds to start a Collector
			k.aimed++
			k.pause(4 * time.Millisecond)
		}
	}
	k.kill()
}

// pause waits for a random time below a limit.
func (k *killer) pause(limit time.Duration) {
	<-time.After(time.Duration(k.random.Int64N(int64(limit))))
}

// delivery waits for the file of the sink to grow, at least for a random number of times.
func (k *killer) delivery(limit time.Duration) bool {
	end := time.Now().Add(limit)
	size, growths := k.size(), 1+k.random.IntN(6)
	for time.Now().Before(end) {
		if now := k.size(); now > size {
			size = now
			if growths--; growths == 0 {
				return true
			}
		}
		<-time.After(time.Millisecond)
	}
	return false
}

func (k *killer) size() int64 {
	info, err := os.Stat(k.path("events.jsonl"))
	if err != nil {
		return 0 // nothing was delivered yet
	}
	return info.Size()
}
