// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWindowsAreSizedByThePastAndNotByWhatIsNew(t *testing.T) {
	type window struct {
		seconds int64
		records int
	}
	for _, tc := range []struct {
		name    string
		windows []window
		failed  int
		want    int64
	}{
		{"at first an hour", nil, 0, 3600},
		{"sparse: longer, not at once", []window{{3600, 10}}, 0, 4 * 3600},
		{"empty: up to a day", []window{{3600, 0}, {4 * 3600, 0}, {16 * 3600, 0}}, 0, 24 * 3600},
		{"dense: ten pages", []window{{3600, 36_000}}, 0, 500},
		{"a second is the least", []window{{3600, 3600 * 20_000}}, 0, 1},
		{"dense news say nothing about the past", []window{{3600, 10}, {2, 100}, {2, 100}}, 0, 4 * 3600},
		{"news of many pages do", []window{{60, 60_000}}, 0, 5},
		{"failures shorten", nil, 2, 900},
		{"not below a minute", nil, 20, 60},
		{"nor lengthen what is shorter", []window{{3600, 3600 * 1000}}, 3, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			z := newSizing()
			for _, w := range tc.windows {
				z.closed(w.seconds, w.records)
			}
			for range tc.failed {
				z.failed()
			}
			require.Equal(t, tc.want, z.window())
		})
	}
}

func TestALengthThatTheServerRefusedIsTriedAgainOnceShorterOnesWork(t *testing.T) {
	z := newSizing()
	for range 3 { // in parallel
		z.refused(3600)
	}
	require.Equal(t, int64(1800), z.window())
	z.refused(1800)
	for range provenWindows - 1 {
		z.closed(900, 0)
		require.Equal(t, int64(900), z.window())
	}
	z.closed(900, 0)
	require.Equal(t, int64(1800), z.window())
	for range 3 {
		z.refused(1800)
	}
	for range 2*provenWindows - 1 {
		z.closed(900, 0)
		require.Equal(t, int64(900), z.window(), "again in vain, so rarer")
	}
	z.closed(900, 0)
	z.closed(1800, 0)
	require.Equal(t, int64(1800), z.window(), "that is not refused any more")
	for range provenWindows - 1 {
		z.closed(1800, 0)
	}
	require.Equal(t, int64(3600), z.window())
	z.refused(shortestSized)
	require.Equal(t, int64(3600), z.window(), "a shorter one would not help")
	z.refused(shortestSized + 1)
	require.Equal(t, int64(shortestSized), z.window())
}
