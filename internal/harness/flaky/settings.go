// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// settings say what to run, and how often.
type settings struct {
	packages []string
	names    *regexp.Regexp // nil for all tests
	tests    int            // runs of each short test
	short    time.Duration  // work of a processor that a run of a short test takes at most; others run within their packages only
	each     int            // runs of each package
	whole    int            // runs of everything
	budget   time.Duration  // 0 is no limit
	hogs     int
	workers  int
	race     bool
	file     string
	folder   string // in which packages are looked for; "" is this one
}

// settingsFrom reads the environment.
func settingsFrom(getenv func(string) string) (settings, error) {
	var problem error
	number := func(name string, otherwise int) int {
		text := getenv(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			problem = fmt.Errorf("%s=%s: want a number of at least 0", name, text)
		}
		return n
	}
	set := settings{
		packages: strings.Fields(getenv("FLAKY_PACKAGES")),
		tests:    number("FLAKY_TESTS", 200),
		short:    time.Duration(number("FLAKY_SHORT", 1000)) * time.Millisecond,
		each:     number("FLAKY_EACH", 20),
		whole:    number("FLAKY_WHOLE", 5),
		budget:   time.Duration(number("FLAKY_MINUTES", 0)) * time.Minute,
		hogs:     number("FLAKY_HOGS", runtime.NumCPU()),
		workers:  max(1, number("FLAKY_WORKERS", runtime.NumCPU())),
		race:     getenv("FLAKY_RACE") != "0",
		file:     getenv("FLAKY_FILE"),
	}
	if set.file == "" {
		set.file = ".run/flaky.jsonl"
	}
	if len(set.packages) > 0 {
		set.whole = 0
	} else {
		set.packages = []string{"./..."}
	}
	if pattern := getenv("FLAKY_RUN"); pattern != "" {
		names, err := regexp.Compile(pattern)
		if err != nil {
			return settings{}, fmt.Errorf("FLAKY_RUN: %w", err)
		}
		set.names, set.each, set.whole = names, 0, 0
	}
	return set, problem
}
