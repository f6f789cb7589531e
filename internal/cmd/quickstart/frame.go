// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// frame lays the view out as a screen of so many columns and rows. Where there are too few rows, the latest events give way
// first.
func (v view) frame(width, height int) []line {
	lines := append([]line{v.title(width), nil}, v.flow()...)
	lines = append(lines, nil, v.tableHead())
	for i := range v.sources {
		lines = append(lines, v.sources[i].rows(v, width)...)
	}
	foot := v.foot()
	room := height - len(lines) - len(foot) - 2
	if room >= 2 && len(v.latest) > 0 {
		lines = append(lines, nil, sayIn(bold, "LATEST EVENTS"))
		shown := v.latest[max(0, len(v.latest)-room+1):]
		for _, s := range shown {
			lines = append(lines, v.row(s))
		}
	}
	return append(append(lines, nil), foot...)
}

func (v view) title(width int) line {
	name, right := "otelcol-audit quickstart", v.clock()
	gap := max(2, width-utf8.RuneCountInString(name+right))
	return line{{name, bold}, {fmt.Sprintf("%*s", gap, ""), plain}, {right, dim}}
}

// clock tells how long it has run and how it will end.
func (v view) clock() string {
	switch {
	case v.settling:
		return "time is up, waiting for the last events"
	case v.left > 0:
		return "ends in " + span(v.left+time.Second-1)
	default:
		return "running for " + span(v.elapsed) + ", Ctrl-C ends it"
	}
}

// flow shows the data's way.
func (v view) flow() []line {
	source, arrow := piece{"simulated services", cyan}, piece{"  ──▶  ", dim}
	collector := piece{"otelcol-audit, pid " + strconv.Itoa(v.pid), cyan}
	if v.pid == 0 {
		collector = piece{"otelcol-audit, down", red}
	}
	lines := []line{{source, arrow, collector, arrow, {v.events, cyan}}}
	if v.kills > 0 {
		below := strings.Repeat(" ", utf8.RuneCountInString(source.text+arrow.text))
		lines = append(lines, line{{below + "killed " + times(v.kills) + ", last " + span(v.now.Sub(v.lastKill)) + " ago", yellow}})
	}
	return lines
}

// foot tells what to try and where to look.
func (v view) foot() []line {
	try := line{{"Try it   ", bold}}
	if v.pid == 0 {
		try = append(try, piece{"the collector was killed and starts again in a moment", yellow})
	} else {
		try = append(try, piece{"kill -9 " + strconv.Itoa(v.pid), green}, piece{"   it starts again by itself and goes on where it was", plain})
	}
	return []line{try, {{"Log      ", bold}, {v.log, plain}, {"    Configuration  ", bold}, {v.config, plain}}}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return number(n) + " times"
}

// row is an event as one line. Where there is only one source, it need not be named.
func (v view) row(s sentence) line {
	tone := plain
	if s.bad {
		tone = yellow
	}
	what := s.what
	if s.times > 1 {
		what = "(" + number(s.times) + "×) " + what
	}
	row := line{{padRight(moment(s.at, v.now), 14), dim}}
	if len(v.sources) > 1 {
		row = append(row, piece{padRight(s.source, 14) + " ", cyan})
	}
	return append(row, piece{padRight(s.event, 21) + " ", tone}, piece{padRight(s.user, 25) + " ", plain}, piece{what, tone})
}

// moment writes a time so that today's can be told from older ones.
func moment(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05")
	}
	return at.Format("Jan _2 15:04")
}
