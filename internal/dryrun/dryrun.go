// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package dryrun tells whether a configuration is only being checked.
//
// A component's Validate is called by the Collector's command "validate" as well as before each start, and nothing that it is
// given tells the two apart. Files that a configuration names need both: whoever checks a configuration wants to hear of each
// that is missing or wrong, while a start must not fail for one that may come a moment later, or takes nothing from the others.
package dryrun

import "runtime"

// checking is what the command "validate" runs (go.opentelemetry.io/collector/otelcol v0.161).
const checking = "go.opentelemetry.io/collector/otelcol.(*Collector).DryRun"

// maxDepth is deeper than any call of Validate: a configuration is walked recursively.
const maxDepth = 512

// Active reports whether the caller, on its own goroutine, is called by "validate".
func Active() bool {
	callers := make([]uintptr, maxDepth)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for {
		frame, more := frames.Next()
		if frame.Function == checking {
			return true
		}
		if !more {
			return false
		}
	}
}
