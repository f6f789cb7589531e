// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
)

// introduction says what will be seen, where the output is not redrawn.
func (v view) introduction() []line {
	lines := append([]line{sayIn(bold, "otelcol-audit quickstart, "+v.clock())}, v.flow()...)
	return append(append(lines, v.foot()...), nil)
}

// block is the view in few lines.
func (v view) block() []line {
	collector := "collector pid " + strconv.Itoa(v.pid)
	if v.pid == 0 {
		collector = "collector down, starting again"
	}
	if v.kills > 0 {
		collector += ", killed " + times(v.kills)
	}
	if v.settling {
		collector += ", " + v.clock()
	}
	lines := []line{sayIn(bold, "["+span(v.elapsed)+"] "+collector)}
	for i := range v.sources {
		s := &v.sources[i]
		lines = append(lines, s.counts(v)...)
		lines = append(lines, append(say("  "), s.verdictRow(v)...))
	}
	for _, s := range v.latest[max(0, len(v.latest)-blockEvents):] {
		lines = append(lines, append(say("      "), v.row(s)...))
	}
	return lines
}

// blockEvents is how many events a block shows.
const blockEvents = 3

// counts is a source's numbers in two lines.
func (s *sourceView) counts(v view) []line {
	text := fmt.Sprintf("  %s: %s of %s, %.0f/s", s.name, number(s.state.Arrived), events(s.state.Visible), s.rate)
	if !s.compared {
		text = fmt.Sprintf("  %s: %s, %.0f/s", s.name, events(s.arrived), s.rate)
	}
	if !s.newest.IsZero() {
		text += ", newest " + span(v.now.Sub(s.newest)) + " ago"
	}
	lines := []line{say(text)}
	parts := make([]string, len(s.categories))
	for i, c := range s.categories {
		parts[i] = c.name + " " + number(c.count)
	}
	if len(parts) > 0 {
		lines = append(lines, sayIn(dim, "    "+strings.Join(parts, ", ")))
	}
	return lines
}
