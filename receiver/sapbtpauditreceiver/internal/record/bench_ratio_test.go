// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package record

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// minFaster is how many times as fast as the way through maps ours has to be.
const minFaster = 4.5

// BenchmarkPageAgainstMaps fails if ours is not minFaster times as fast as the way through maps. Both are measured by turns, in
// processor time with what their garbage costs, and the middle one of the ratios counts: so a busy machine decides nothing.
func BenchmarkPageAgainstMaps(b *testing.B) {
	const rounds, pages = 11, 40
	// On several processors the garbage collector also takes what is idle, which is then counted.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	page := realisticPage(b)
	m := testMapper(nil)
	for b.Loop() {
		var ratios []float64
		for range rounds {
			ours := processorTime(b, func() {
				for range pages {
					ourWay(b, m, page)
				}
			})
			theirs := processorTime(b, func() {
				for range pages {
					mapWay(b, m, page)
				}
			})
			ratios = append(ratios, float64(theirs)/float64(ours))
		}
		slices.Sort(ratios)
		faster := ratios[rounds/2]
		b.ReportMetric(faster, "times-as-fast")
		if faster < minFaster {
			b.Errorf("ours is %.2f times as fast as the way through maps; the bar is %.1f", faster, minFaster)
		}
	}
}

// processorTime is what the process needs for run, and for collecting garbage meanwhile.
func processorTime(tb testing.TB, run func()) time.Duration {
	tb.Helper()
	used := func() time.Duration {
		var usage syscall.Rusage
		require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	runtime.GC()
	before := used()
	run()
	return used() - before
}
