// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/completeness"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func rendered(lines []line, width int) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.render(width, false) + "\n")
	}
	return b.String()
}

// calm is a view of a run in which all is well.
func calm() view {
	v := view{
		now: noon, elapsed: 84 * time.Second, pid: 4711, config: "examples/quickstart/config.yaml",
		events: ".run/events.jsonl", log: ".run/otelcol-audit.log",
		sources: []sourceView{{
			name: "sap-btp-audit", compared: true, arrived: 10_209, rate: 3.4, newest: noon.Add(-2 * time.Second),
			categories: []categoryCount{
				{"security_event", 6300}, {"configuration_change", 1759}, {"data_access", 1133}, {"data_modification", 918}, {"unknown", 99},
			},
			state: completeness.State{Visible: 10_216, Arrived: 10_209}, pending: 7, oldest: noon.Add(-4 * time.Second),
		}},
	}
	for i, what := range []string{
		"user authentication failure from 203.0.113.9: Bad credentials", "read the audit log", "create xsrole Admins (refused)",
	} {
		v.latest = append(v.latest, sentence{
			at: noon.Add(time.Duration(i-3) * time.Second), source: "sap-btp-audit", event: "security event", user: "eve@example.com", what: what, times: 1 + 2*(i%2), bad: i != 1,
		})
	}
	v.latest[0].at = noon.AddDate(0, 0, -20)
	return v
}

// catchingUp is a view just after the second kill, with two sources.
func catchingUp() view {
	v := calm()
	v.left, v.pid, v.kills, v.lastKill = 10*time.Second, 0, 2, noon.Add(-700*time.Millisecond)
	s := &v.sources[0]
	s.kills, s.mayRepeat, s.rate, s.backlog, s.pending = 2, 4_000, 812, 6_010, 6_014
	s.state = completeness.State{Visible: 10_016, Arrived: 4_002, Repeated: 312}
	v.sources = append(v.sources, sourceView{
		name: "saas-security", compared: true, arrived: 40, rate: 1, newest: noon.Add(-time.Minute), kills: 2, mayLose: 2_000,
		categories: []categoryCount{{"incident", 40}}, state: completeness.State{Visible: 140, Arrived: 40}, lost: 100,
	}, sourceView{name: "another", arrived: 3, categories: []categoryCount{{"without a name", 3}}})
	return v
}

func TestScreen(t *testing.T) {
	for name, tc := range map[string]struct {
		view          view
		width, height int
	}{
		"calm_110x30":     {calm(), 110, 30},
		"calm_80x24":      {calm(), 80, 24},
		"catching_110x30": {catchingUp(), 110, 30},
		"catching_80x16":  {catchingUp(), 80, 16},
	} {
		t.Run(name, func(t *testing.T) {
			lines := tc.view.frame(tc.width, tc.height)
			text := rendered(lines, tc.width)
			golden(t, "screen_"+name+".txt", text)
			for line := range strings.Lines(text) {
				require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), tc.width)
			}
		})
	}
}

func TestLinesWithoutATerminal(t *testing.T) {
	v := calm()
	v.left = 20 * time.Second
	golden(t, "lines_calm.txt", rendered(append(v.introduction(), v.block()...), 0))
	v = catchingUp()
	v.left, v.settling = -time.Second, true
	golden(t, "lines_catching.txt", rendered(v.block(), 0))
}

func TestAScreenWithoutRoomShowsNoEvents(t *testing.T) {
	v := calm()
	for height := range 30 {
		lines := v.frame(80, height)
		require.Contains(t, rendered(lines, 80), "sap-btp-audit")
		if height >= 14 {
			require.LessOrEqual(t, len(lines), height)
		}
	}
	require.NotContains(t, rendered(v.frame(80, 14), 80), "LATEST")
}

func TestTroubleIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		state completeness.State
		kills int
		want  string
	}{
		"nothing":               {completeness.State{Visible: 5, Arrived: 3}, 0, ""},
		"twice without a kill":  {completeness.State{Visible: 5, Arrived: 3, Repeated: 1}, 0, "1 event came again although nothing was killed"},
		"repeats after a kill":  {completeness.State{Repeated: 2000}, 1, ""},
		"too many repeats":      {completeness.State{Repeated: 4001}, 2, "4,001 events came again, more than kills explain (at most 4,000)"},
		"renamed after a kill":  {completeness.State{Repeated: 2, Renamed: 2}, 1, "2 events came again under another log.record.uid"},
		"what there is nothing": {completeness.State{Unknown: 3}, 0, "3 events came that the source does not have"},
	} {
		t.Run(name, func(t *testing.T) {
			v := calm()
			s := &v.sources[0]
			s.state, s.kills, s.mayRepeat = tc.state, tc.kills, 2000*tc.kills
			require.Equal(t, tc.want, s.trouble())
			row := s.verdictRow(v).render(0, false)
			require.Equal(t, tc.want != "", strings.Contains(row, "✗ "+tc.want))
		})
	}
}

func TestTheLastWordOnASource(t *testing.T) {
	for name, tc := range map[string]struct {
		source      sourceView
		interrupted bool
		want        string
		good        bool
	}{
		"complete":           {sourceView{}, false, "✓ nothing is missing, nothing is there twice", true},
		"missing":            {sourceView{overdue: 2}, false, "✗ 2 events missing", false},
		"missing, on Ctrl-C": {sourceView{overdue: 2}, true, "2 events had not arrived yet", true},
		"twice":              {sourceView{state: completeness.State{Repeated: 1}}, true, "✗ 1 event came again although nothing was killed", false},
		"repeated after a kill": {
			sourceView{kills: 1, mayRepeat: 2_000, state: completeness.State{Repeated: 12}},
			false,
			"✓ nothing is missing, 12 repeated after a kill with the same uid (at most 2,000 may be)", true,
		},
		"lost at a kill": {
			sourceView{kills: 1, mayLose: 1_000, lost: 100},
			false,
			"✓ nothing is there twice, 100 lost in reads that a kill cut off (at most 1,000 may be)", true,
		},
		"lost more than a kill explains": {sourceView{kills: 1, mayLose: 1_000, lost: 1_000, overdue: 1}, false, "✗ 1 event missing", false},
		"not compared":                   {sourceView{}, false, notCompared, true},
		"nothing arrived":                {sourceView{}, false, "✗ nothing arrived", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := tc.source
			s.compared = name != "not compared"
			if name != "nothing arrived" {
				s.state.Arrived = 10
			}
			verdict, good := s.verdict(tc.interrupted)
			require.Equal(t, tc.want, verdict.render(0, false))
			require.Equal(t, tc.good, good)
		})
	}
}

func TestSummary(t *testing.T) {
	v := calm()
	lines, good := v.summary(false)
	require.True(t, good)
	golden(t, "summary.txt", rendered(lines, 0))
	v = catchingUp()
	lines, good = v.summary(false)
	require.True(t, good)
	golden(t, "summary_kills.txt", rendered(lines, 0))
	v.sources[1].overdue = 1
	require.Equal(t, 1, v.overdue())
	_, good = v.summary(false)
	require.False(t, good, "one source that is not complete is enough")
	_, good = view{}.summary(false)
	require.False(t, good, "a run without sources proves nothing")
}

func TestAViewTellsLossesFromDelays(t *testing.T) {
	began := noon
	s := newComparedSource("saas-security", risk{repeats: 10, losses: 2}, attributeID(uidKey))
	w := &world{keeper: &keeper{}, folder: &folder{}, started: began, arrivals: arrivals{sources: []*source{s}}}
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		s.book.Exists(id, began.Add(time.Duration(i-1)*time.Second)) // one before the start
	}
	s.take(logs("", "x", began, uidKey, "b").ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))

	now := began.Add(5 * time.Second)
	got := w.view(now).sources[0]
	require.Equal(t, []int{0, 4, 1, 0}, []int{got.lost, got.pending, got.backlog, got.overdue})
	require.Equal(t, began.Add(-time.Second), got.oldest)

	w.cutoff = now
	require.Equal(t, 4, w.view(now).sources[0].overdue)
	w.keeper.kills, w.keeper.lastKill = 1, began.Add(2500*time.Millisecond) // after d was shown, before e was
	got = w.view(now).sources[0]
	require.Equal(t, []int{0, 4, 2}, []int{got.lost, got.pending, got.mayLose}, "they may still come")
	now = w.keeper.lastKill.Add(doubtTime + 1)
	got = w.view(now).sources[0]
	require.Equal(t, []int{2, 2, 0, 2}, []int{got.lost, got.pending, got.backlog, got.overdue}, "no more than the kill explains")
	require.Equal(t, began.Add(-time.Second), got.oldest)
	s.risk.losses = 5
	got = w.view(now).sources[0]
	require.Equal(t, []int{3, 1, 0, 1}, []int{got.lost, got.pending, got.backlog, got.overdue})
	require.Equal(t, began.Add(3*time.Second), got.oldest, "what was lost is not waited for")
	s.risk.losses = 0
	require.Zero(t, w.view(now).sources[0].lost, "a source that can be read again loses nothing")
}

func TestNumbersAndTimes(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", 12_345_678: "12,345,678", -12: "-12"} {
		require.Equal(t, want, number(n))
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m01s", time.Hour: "1h00m", 47 * time.Hour: "47h00m", 72 * time.Hour: "3 days",
	} {
		require.Equal(t, want, span(d))
	}
	require.Equal(t, "once", times(1))
	require.Equal(t, "2 times", times(2))
}

func TestBar(t *testing.T) {
	for share, want := range map[float64]string{-1: "|░░░░", 0: "|░░░░", 0.25: "█|░░░", 0.29: "█▏|░░", 0.999: "███▉|", 1: "████|", 7: "████|"} {
		full, empty := bar(share, 4)
		require.Equal(t, want, full+"|"+empty)
	}
}

func TestTextFits(t *testing.T) {
	require.Equal(t, "mü…  |", padRight("mü…", 5)+"|")
	require.Equal(t, "mülle…", padRight("müller-lüdenscheidt", 6))
	require.Equal(t, "  mü", padLeft("mü", 4))
	require.Equal(t, "müll", padLeft("müll", 2))
	l := line{{"red", red}, {" and plain", plain}}
	require.Equal(t, "\x1b[31mred\x1b[0m and plain", l.render(0, true))
	require.Equal(t, "\x1b[31mred\x1b[0m an…", l.render(7, true))
	require.Equal(t, "re…", l.render(3, false)[:2]+"…")
}
