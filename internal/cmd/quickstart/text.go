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

// style is how a piece of text tone on a terminal: the number of an ANSI style.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// piece is text of one style.
type piece struct {
	text  string
	style style
}

// line is a line of text of several styles.
type line []piece

func say(text string) line            { return line{{text, plain}} }
func sayIn(s style, text string) line { return line{{text, s}} }

// render writes the line in at most width characters; 0 is no limit.
func (l line) render(width int, color bool) string {
	var b strings.Builder
	left := width
	for _, p := range l {
		text := p.text
		if width > 0 {
			text = fit(text, left)
			left -= utf8.RuneCountInString(text)
		}
		if text == "" {
			continue
		}
		if color && p.style != plain {
			text = "\x1b[" + string(p.style) + "m" + text + "\x1b[0m"
		}
		b.WriteString(text)
	}
	return strings.TrimRight(b.String(), " ")
}

// fit cuts text to a width, and marks that it did.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	if width <= 0 {
		return ""
	}
	return string([]rune(text)[:width-1]) + "…"
}

// padRight makes text exactly so wide, to stand on the left of a column.
func padRight(text string, width int) string {
	text = fit(text, width)
	return text + strings.Repeat(" ", width-utf8.RuneCountInString(text))
}

// padLeft makes text at least so wide, to stand on the right of a column.
func padLeft(text string, width int) string {
	return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text))) + text
}

// number writes a count with its thousands apart.
func number(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// events writes a number of events.
func events(n int) string {
	if n == 1 {
		return "1 event"
	}
	return number(n) + " events"
}

// span writes a duration as a person would: by its largest two units.
func span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours())/24)
	}
}

// bar draws a share, 0 to 1, with a precision of an eighth of a character.
func bar(share float64, width int) (full, empty string) {
	eighths := int(min(max(share, 0), 1) * float64(width) * 8)
	full = strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		full += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return full, strings.Repeat("░", width-utf8.RuneCountInString(full))
}
