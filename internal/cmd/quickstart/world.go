// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/otlplines"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// world is everything that runs and what is known of it.
type world struct {
	options  options
	folder   *folder
	simul    *simulation
	keeper   *keeper
	file     *otlplines.Follower
	arrivals arrivals
	screen   *screen
	started  time.Time
	deadline time.Time // when to begin to end; zero if only an interrupt ends the run
	cutoff   time.Time // when the time was up; zero until then
}

// How often to look at what runs and arrives, and to show it.
const (
	lookEvery  = 250 * time.Millisecond
	blockEvery = 5 * time.Second // where lines are printed one after the other
)

// newWorld starts the simulated services and then the Collector.
func newWorld(ctx context.Context, o options, s *screen) (w *world, err error) {
	w = &world{options: o, screen: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.folder, err = openFolder(o.dir, o.keep); err != nil {
		return w, err
	}
	w.file = otlplines.Follow(w.folder.path(eventsName))
	if w.simul, err = startSimulation(ctx, o.simulator, w.folder, !o.keep); err != nil {
		return w, err
	}
	for _, s := range w.simul.sources {
		w.arrivals.sources = append(w.arrivals.sources, s.source)
	}
	if w.keeper, err = newKeeper(o, w.folder, w.simul.saas); err != nil {
		return w, err
	}
	w.started = time.Now()
	if o.runFor > 0 {
		w.deadline = w.started.Add(o.runFor)
	}
	return w, w.keeper.start()
}

// newKeeper prepares to run the Collector with the quickstart's environment.
func newKeeper(o options, f *folder, saas string) (*keeper, error) {
	ports, err := program.FreePorts(2)
	if err != nil {
		return nil, err
	}
	launch := func() (*program.Process, error) {
		output, err := f.log(collectorLog)
		if err != nil {
			return nil, err
		}
		defer output.Close() //nolint:errcheck // the program has its own handle of the file
		return program.Start(program.Spec{
			Path: o.collector, Args: []string{"--config", o.config}, Output: output,
			Env: []string{
				"RUN_DIR=" + f.dir, "OTLP_PORT=" + strconv.Itoa(ports[0]), "METRICS_PORT=" + strconv.Itoa(ports[1]),
				"SAAS_URL=" + saas, "SAAS_CLIENT_ID=" + saassecurity.DefaultClientID, "SAAS_CLIENT_SECRET=" + saassecurity.DefaultClientSecret,
			},
		})
	}
	return &keeper{launch: launch, log: f.path(collectorLog), tally: f.path(killsName)}, nil
}

// watch shows what happens until the time is up or ctx ends.
func (w *world) watch(ctx context.Context) error {
	return w.until(ctx, func(now time.Time) bool {
		return !w.deadline.IsZero() && !now.Before(w.deadline)
	})
}

// until looks and shows again and again, until done or ctx ends.
func (w *world) until(ctx context.Context, done func(time.Time) bool) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if err := w.look(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		now := time.Now()
		if done(now) {
			return nil
		}
		w.screen.show(w.view(now))
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// look brings everything that is known up to date. What arrived is read before the ledgers, so that it is in them.
func (w *world) look(ctx context.Context) error {
	if err := w.file.Poll(w.arrivals.take); err != nil {
		return err
	}
	if err := w.simul.update(ctx); err != nil {
		if ended := w.simul.check(); ended != nil {
			return ended // which explains why it does not answer
		}
		return err
	}
	now := time.Now()
	w.arrivals.measure(now)
	return w.keeper.check(now)
}

// close ends what is still running, the Collector first, so that it never sees its sources vanish.
func (w *world) close() error {
	w.screen.end()
	var errs []error
	if w.keeper != nil {
		errs = append(errs, w.keeper.stop())
	}
	if w.simul != nil {
		errs = append(errs, w.simul.stop())
	}
	if w.file != nil {
		errs = append(errs, w.file.Close())
	}
	if w.folder != nil {
		errs = append(errs, w.folder.close())
	}
	return errors.Join(errs...)
}
