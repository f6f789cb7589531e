// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Flaky looks for tests that fail now and then. It builds the test binary of each package once, with the race detector, runs every
// short test many times, each package some times and the whole a few times, beside a machine that is busy, and prints a table.
// The exit status is 1 if anything failed.
//
// It is run by make flaky from the root of the module. Environment variables change what it does:
//
//	FLAKY_PACKAGES  package patterns, separated by blanks; default ./...
//	FLAKY_RUN       regular expression of the names of the tests; with it neither packages nor the whole are run
//	FLAKY_TESTS     runs of each short test; default 200
//	FLAKY_SHORT     milliseconds of a processor's time up to which a test is short; default 1000
//	FLAKY_EACH      runs of each package; default 20
//	FLAKY_WHOLE     runs of the whole; default 5; none unless all packages are asked for
//	FLAKY_MINUTES   how long to go on; default 0, until everything is done. What has run least is always next.
//	FLAKY_HOGS      busy threads beside the tests; default one for each processor
//	FLAKY_WORKERS   test processes at the same time; default one for each processor
//	FLAKY_RACE      0 builds without the race detector
//	FLAKY_FILE      file of results; default .run/flaky.jsonl
//
// A run that is repeated goes on where the last one ended: the file of results counts for as long as the test binary and the files
// beside its sources stay the same. What a test reads elsewhere is not looked at: remove the file after changing that.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	set, err := settingsFrom(os.Getenv)
	if err == nil {
		err = run(ctx, &set, os.Stdout, os.Stderr)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "flaky:", err)
		os.Exit(1)
	}
}

var errFailed = errors.New("there are tests that failed")

// run does everything. The table goes to out, what happens meanwhile to progress.
func run(ctx context.Context, set *settings, out, progress io.Writer) error {
	dir, err := os.MkdirTemp("", "flaky")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	began := time.Now()
	binaries, err := build(ctx, set, dir)
	if err != nil {
		return err
	}
	results, err := openResults(set.file)
	if err != nil {
		return err
	}
	defer func() { _ = results.close() }()
	p := newPlan(set, binaries)
	p.resume(results.earlier)
	_, _ = fmt.Fprintf(progress, "%d packages built and %d tests found in %s; %d results of earlier runs count\n",
		len(binaries), len(p.units)-p.wider, time.Since(began).Round(time.Second), p.resumed)

	endHogs := hog(set.hogs)
	defer endHogs()
	w := &workers{set: set, plan: p, results: results, progress: progress}
	if set.budget > 0 {
		w.deadline = began.Add(set.budget)
	}
	err = w.work(ctx)
	endHogs()
	failures := p.table(out)
	switch {
	case err != nil:
		return err
	case failures > 0:
		return errFailed
	}
	return nil
}
