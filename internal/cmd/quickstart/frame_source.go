// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"unicode/utf8"
)

// Columns of the table of sources.
const (
	nameWidth   = 16
	numberWidth = 10
	barWidth    = 40
	indent      = "  "
)

func (view) tableHead() line {
	return sayIn(bold, padRight("SOURCE", nameWidth)+padLeft("AT SOURCE", numberWidth)+padLeft("ARRIVED", numberWidth)+
		padLeft("TO COME", numberWidth)+padLeft("REPEATED", numberWidth)+padLeft("RATE", numberWidth)+padLeft("NEWEST", numberWidth))
}

// rows are a source's part of the table: its counts, its categories, and how complete it is.
func (s *sourceView) rows(v view, width int) []line {
	newest := "-"
	if !s.newest.IsZero() {
		newest = span(v.now.Sub(s.newest)) + " ago"
	}
	there, arrived, toCome, repeated := "-", number(s.arrived), "-", piece{"-", plain}
	if s.compared {
		there, arrived, toCome = number(s.state.Visible), number(s.state.Arrived), number(s.pending)
		repeated.text = number(s.state.Repeated)
	}
	if s.state.Repeated > 0 {
		repeated.style = yellow
	}
	repeated.text = padLeft(repeated.text, numberWidth)
	rows := []line{{
		{padRight(s.name, nameWidth), cyan},
		{padLeft(there, numberWidth) + padLeft(arrived, numberWidth) + padLeft(toCome, numberWidth), plain},
		repeated,
		{padLeft(fmt.Sprintf("%.0f/s", s.rate), numberWidth) + padLeft(newest, numberWidth), plain},
	}}
	rows = append(rows, s.categoryRows(width)...)
	return append(rows, s.verdictRow(v))
}

// categoryRows lists the categories in as many columns as there is room for.
func (s *sourceView) categoryRows(width int) []line {
	nameWide, countWide := 0, 0
	for _, c := range s.categories {
		nameWide = max(nameWide, utf8.RuneCountInString(c.name))
		countWide = max(countWide, len(number(c.count)))
	}
	const gap = "    "
	columns := max(1, (width-len(indent)+len(gap))/(nameWide+2+countWide+len(gap)))
	var rows []line
	for i, c := range s.categories {
		if i%columns == 0 {
			rows = append(rows, say(indent))
		} else {
			rows[len(rows)-1] = append(rows[len(rows)-1], piece{gap, plain})
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], piece{padRight(c.name, nameWide), dim}, piece{"  " + padLeft(number(c.count), countWide), plain})
	}
	return rows
}

// verdictRow says in words how complete it is.
func (s *sourceView) verdictRow(v view) line {
	if !s.compared {
		return sayIn(dim, indent+notCompared)
	}
	if trouble := s.trouble(); trouble != "" {
		return line{{indent + "✗ " + trouble, red}}
	}
	row := line{{indent, plain}}
	if s.backlog > 0 {
		done := s.share()
		full, empty := bar(done, barWidth)
		text := fmt.Sprintf("  %.0f %%, catching up, %s to go", 100*done, number(s.backlog))
		if s.rate >= 1 && v.now.Sub(v.lastKill) > speedSpan { // else the rate is of another time
			text += fmt.Sprintf(", about %.0fs", float64(s.backlog)/s.rate)
		}
		return append(row, piece{full, yellow}, piece{empty, dim}, piece{text, plain})
	}
	return append(append(row, piece{"✓ " + s.complete(v), green}), s.costOfKills()...)
}

// costOfKills tells what kills have caused, within what they may.
func (s *sourceView) costOfKills() line {
	var cost line
	if n := s.state.Repeated; n > 0 {
		cost = append(cost, piece{", " + number(n) + " repeated after a kill with the same uid (at most " + number(s.mayRepeat) + " may be)", yellow})
	}
	if s.lost > 0 {
		cost = append(cost, piece{", " + number(s.lost) + " lost in reads that a kill cut off (at most " + number(s.mayLose) + " may be)", yellow})
	}
	return cost
}

// complete says up to when everything has arrived.
func (s *sourceView) complete(v view) string {
	if s.pending == 0 {
		return "everything that the source shows has arrived"
	}
	return "complete but for " + number(s.pending) + " on the way, the oldest for " + span(v.now.Sub(s.oldest))
}

// share is how much of what there is has arrived, 0 to 1.
func (s *sourceView) share() float64 {
	if s.state.Visible == 0 {
		return 0
	}
	return float64(s.state.Arrived) / float64(s.state.Visible)
}
