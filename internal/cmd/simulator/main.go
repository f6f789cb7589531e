// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Simulator plays the vendors' APIs for the quickstart and for tests of the real program, with a ledger of what exists and
// scripted faults. It runs until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

// service is one simulated vendor.
type service interface {
	// flags adds the vendor's flags.
	flags(*flag.FlagSet)
	// start opens the service and says on out where it is.
	start(out io.Writer) error
	// run lives until the context ends.
	run(context.Context)
	// stop closes what start opened, in whole or in part.
	stop() error
}

func run(ctx context.Context, args []string, out io.Writer) error {
	services := []service{&sap{}, &saas{}}
	set := flag.NewFlagSet("simulator", flag.ContinueOnError)
	set.SetOutput(out)
	for _, s := range services {
		s.flags(set)
	}
	if err := set.Parse(args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("there are only flags, but %q was given", set.Arg(0))
	}
	if err := check(set); err != nil {
		return err
	}
	return serve(ctx, services, out)
}

// serve runs all services side by side, until the context ends.
func serve(ctx context.Context, services []service, out io.Writer) (err error) {
	defer func() {
		for _, s := range services {
			err = errors.Join(err, s.stop())
		}
	}()
	for _, s := range services {
		if err := s.start(out); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(out, "ready\n"); err != nil {
		return err
	}
	var running sync.WaitGroup
	for _, s := range services {
		running.Go(func() { s.run(ctx) })
	}
	running.Wait()
	return nil
}
