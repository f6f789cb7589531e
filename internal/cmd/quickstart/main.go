// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Quickstart is what "make run" runs: it starts the simulated services and the Collector, starts the Collector again when it
// is killed, and shows a person what arrives and whether anything is missing or there twice. With -simulate=false it just runs
// the Collector with the given configuration.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	collector string
	simulator string
	config    string
	runFor    time.Duration
	simulate  bool
	dir       string
	keep      bool
}

func main() {
	var o options
	flag.StringVar(&o.collector, "collector", "bin/otelcol-audit", "the Collector `program`")
	flag.StringVar(&o.simulator, "simulator", "bin/simulator", "the simulator `program`")
	flag.StringVar(&o.config, "config", "examples/quickstart/config.yaml", "the Collector's configuration `file`")
	flag.DurationVar(&o.runFor, "run-for", 0, "end after this `time` with a verdict; 0 runs until interrupted")
	flag.BoolVar(&o.simulate, "simulate", true, "start simulated services and watch what arrives from them")
	flag.StringVar(&o.dir, "dir", ".run", "the `folder` for state and output")
	flag.BoolVar(&o.keep, "keep", false, "go on with the state and output of the last run in the folder")
	flag.Parse()
	if err := o.check(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(2)
	}

	// Also when the terminal is closed: nothing may stay behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		if programMissing(err) {
			fmt.Fprintln(os.Stderr, "make build makes the programs; -help tells where they are looked for.")
		}
		os.Exit(1)
	}
}

// check refuses what would otherwise be ignored.
func (o *options) check(arguments []string) error {
	if len(arguments) > 0 {
		return fmt.Errorf("there are only flags, but %q was given", arguments[0])
	}
	if o.runFor < 0 {
		return fmt.Errorf("-run-for is %s: give a time to end after, such as 20s, or 0 to run until interrupted", o.runFor)
	}
	return nil
}

// programMissing tells whether it is a program that is not there, not some folder.
func programMissing(err error) bool {
	var start *fs.PathError
	return errors.As(err, &start) && start.Op == "fork/exec" && errors.Is(start, fs.ErrNotExist)
}

// run ends without error when it is interrupted, and when all is well after runFor.
func run(ctx context.Context, o options) error {
	if o.simulate {
		return runSimulated(ctx, o)
	}
	if o.runFor > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.runFor)
		defer cancel()
	}
	return runAlone(ctx, o)
}

// runSimulated shows the Collector at work on simulated services.
func runSimulated(ctx context.Context, o options) (err error) {
	w, err := newWorld(ctx, o, newScreen(os.Stdout))
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.watch(ctx); err != nil {
		return err
	}
	return w.conclude(ctx)
}
