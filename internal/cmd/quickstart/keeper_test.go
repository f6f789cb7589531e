// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
)

var noon = time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC)

func newTestKeeper(t *testing.T, role string) *keeper {
	t.Helper()
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	k := &keeper{launch: player(role, log), log: log.Name(), tally: filepath.Join(dir, "kills")}
	t.Cleanup(func() {
		if k.process != nil {
			k.process.Kill()
		}
	})
	return k
}

// serving waits until the program handles signals.
func serving(t *testing.T, k *keeper) {
	t.Helper()
	require.Eventually(t, func() bool {
		lines := program.LastLines(k.log, 1)
		return len(lines) > 0 && strings.Contains(lines[0], "serving")
	}, time.Minute, time.Millisecond)
}

func TestACollectorThatWasKilledStartsAgain(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "asked to end": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			k := newTestKeeper(t, "serving")
			require.NoError(t, k.start())
			serving(t, k)
			first := k.pid()
			require.NotZero(t, first)
			require.NoError(t, k.check(noon))
			require.Equal(t, first, k.pid())

			require.NoError(t, syscall.Kill(first, signal))
			<-k.process.Done()
			require.NoError(t, k.check(noon))
			require.Zero(t, k.pid())
			require.Equal(t, 1, k.kills)
			require.Equal(t, noon, k.lastKill)
			require.NoError(t, k.check(noon.Add(restartPause-1)))
			require.Zero(t, k.pid(), "the pause is not over")
			require.NoError(t, k.check(noon.Add(restartPause)))
			require.NotZero(t, k.pid())
			require.NotEqual(t, first, k.pid())
			require.Equal(t, 1, k.kills)
			require.NoError(t, k.check(noon.Add(2*restartPause)))

			continued := &keeper{launch: k.launch, log: k.log, tally: k.tally}
			require.NoError(t, continued.start())
			require.Equal(t, 1, continued.kills, "a run that goes on with the output counts its kills, too")
			continued.process.Kill()
		})
	}
}

func TestACollectorThatEndsByItselfIsAFailure(t *testing.T) {
	k := newTestKeeper(t, "failing")
	require.NoError(t, k.start())
	<-k.process.Done()
	err := k.check(noon)
	require.ErrorContains(t, err, "the collector ended by itself: exit status 3")
	require.ErrorContains(t, err, "no such thing", "its last words")
	require.ErrorContains(t, err, k.log)
	require.Zero(t, k.kills)
}

func TestStoppingTellsOfAnEndThatIsNotClean(t *testing.T) {
	k := newTestKeeper(t, "sloppy")
	require.NoError(t, k.stop(), "it was never started")
	require.NoError(t, k.start())
	serving(t, k)
	require.ErrorContains(t, k.stop(), "could not end well")
	require.NoError(t, k.stop(), "it has ended")

	k = newTestKeeper(t, "serving")
	require.NoError(t, k.start())
	serving(t, k)
	require.NoError(t, k.stop())
	require.Zero(t, k.pid())
}
