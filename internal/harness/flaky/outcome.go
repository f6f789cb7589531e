// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// outcome is what the output of a test binary says, by the name of the test.
type outcome map[string]*trial

// trial sums up the runs of one test.
type trial struct {
	runs, failed int
	slowest      time.Duration
	said         []string // since the last run that passed
	message      string
}

var (
	turn    = regexp.MustCompile(`^=== (RUN|CONT|NAME|PAUSE)\s+([^/\s]+)`)
	verdict = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): (\S+) \((\d+\.\d+)s\)`)
)

// parse reads what a test binary wrote with -test.v=test2json, which marks each line of its own.
func parse(output string) outcome {
	o := outcome{}
	current := ""
	for whole := range strings.Lines(output) {
		line, own := strings.CutPrefix(strings.TrimRight(whole, "\n"), "\x16")
		if i := strings.IndexByte(line, '\x16'); i >= 0 { // after a line of a test that has no end
			o.of(current).say(line[:i])
			line, own = line[i+1:], true
		}
		if !own {
			o.of(current).say(line)
			continue
		}
		if m := turn.FindStringSubmatch(line); len(m) > 0 {
			current = m[2]
		} else if m := verdict.FindStringSubmatch(line); len(m) > 0 && !strings.Contains(m[2], "/") {
			o.of(m[2]).end(m[1] == "FAIL", m[3])
		}
	}
	return o
}

func (o outcome) of(name string) *trial {
	if o[name] == nil {
		o[name] = &trial{}
	}
	return o[name]
}

func (t *trial) say(line string) {
	const most = 10000
	if len(t.said) < most {
		t.said = append(t.said, line)
	}
}

func (t *trial) end(failed bool, seconds string) {
	t.runs++
	s, _ := strconv.ParseFloat(seconds, 64) // the expression above lets nothing else pass
	t.slowest = max(t.slowest, time.Duration(s*float64(time.Second)))
	if failed {
		t.failed++
		if t.message == "" {
			t.message = reason(t.said)
		}
	}
	t.said = nil
}

// reasons are how the lines begin that say why something failed, and whether the next lines belong to it.
var reasons = []string{"panic:", "fatal error:", "WARNING: DATA RACE", "Error:", "leak:"}

var place = regexp.MustCompile(`^\s*\S+\.go:\d+: \S`)

// reason finds in what a failed test said why it failed.
func reason(said []string) string {
	const most = 300
	text := ""
	for i, line := range said {
		line = strings.TrimSpace(line)
		for _, r := range reasons {
			if strings.HasPrefix(line, r) {
				text = strings.Join(said[i:min(i+3, len(said))], " ")
				break
			}
		}
		if text != "" {
			break
		}
	}
	if text == "" {
		for _, line := range said {
			if place.MatchString(line) {
				text = line // the last place is where a test gives up
			}
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}
