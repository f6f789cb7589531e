// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// screen shows views: in place on a terminal, otherwise as blocks of lines one after the other.
type screen struct {
	out      io.Writer
	size     func() (width, height int, ok bool) // false if out is no terminal
	color    bool
	inPlace  bool
	open     bool      // the terminal shows the alternate screen
	lastShow time.Time // of a block
}

// newScreen looks at what the file is. A terminal that knows no control sequences counts as none.
func newScreen(file *os.File) *screen {
	s := &screen{out: file, size: func() (int, int, bool) {
		size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
		if err != nil || size.Col == 0 || size.Row == 0 {
			return 0, 0, false
		}
		return int(size.Col), int(size.Row), true
	}}
	_, _, terminal := s.size()
	term := os.Getenv("TERM")
	s.inPlace = terminal && term != "" && term != "dumb"
	s.color = s.inPlace && os.Getenv("NO_COLOR") == ""
	return s
}

// Control sequences.
const (
	enter     = "\x1b[?1049h\x1b[?25l" // alternate screen, no cursor
	leave     = "\x1b[?25h\x1b[?1049l"
	home      = "\x1b[H"
	endOfLine = "\x1b[K"
	restBelow = "\x1b[J"
)

// show shows the view. Without a terminal it does so only now and then.
func (s *screen) show(v view) {
	if s.inPlace {
		s.redraw(v)
		return
	}
	if s.lastShow.IsZero() {
		s.print(v.introduction())
	} else if v.now.Sub(s.lastShow) < blockEvery {
		return
	}
	s.lastShow = v.now
	s.print(v.block())
}

func (s *screen) redraw(v view) {
	width, height, ok := s.size()
	if !ok {
		width, height = 80, 24
	}
	var b strings.Builder
	if !s.open {
		b.WriteString(enter)
		s.open = true
	}
	b.WriteString(home)
	lines := v.frame(width, height)
	lines = lines[:min(len(lines), height)]
	for i, l := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(l.render(width, s.color))
		b.WriteString(endOfLine)
	}
	b.WriteString(restBelow)
	s.write(b.String())
}

// print writes lines that stay.
func (s *screen) print(lines []line) {
	s.end()
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.render(0, s.color))
		b.WriteByte('\n')
	}
	s.write(b.String())
}

// end gives the terminal back as it was.
func (s *screen) end() {
	if s.open {
		s.open = false
		s.write(leave)
	}
}

// write does not fail: where nobody can look, there is nothing to show, and the programs still must end in order.
func (s *screen) write(text string) { _, _ = fmt.Fprint(s.out, text) }
