// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
)

// ownFolder is where the Collector's state is kept for configurations of the user, which "make run" without CONFIG never
// clears.
const ownFolder = "own"

// runAlone runs the Collector in the foreground with the user's configuration, its log on stderr.
func runAlone(ctx context.Context, o options) error {
	env, err := aloneEnv(o)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Running otelcol-audit with %s. Its log follows; Ctrl-C ends it.\n", o.config)
	p, err := program.Start(program.Spec{Path: o.collector, Args: []string{"--config", o.config}, Env: env, Output: os.Stderr})
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
		if p.Err() != nil {
			return fmt.Errorf("the collector ended by itself: %w", p.Err())
		}
		return errors.New("the collector ended by itself")
	case <-ctx.Done():
		return p.Stop()
	}
}

// aloneEnv is the environment for a configuration that was copied from the quickstart's: what the user has not set has a
// value that works.
func aloneEnv(o options) ([]string, error) {
	dir := filepath.Join(o.dir, ownFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ports, err := program.FreePorts(2)
	if err != nil {
		return nil, err
	}
	var env []string
	for _, v := range [][2]string{
		{"RUN_DIR", dir}, {"OTLP_PORT", strconv.Itoa(ports[0])}, {"METRICS_PORT", strconv.Itoa(ports[1])},
	} {
		if _, set := os.LookupEnv(v[0]); !set {
			env = append(env, v[0]+"="+v[1])
		}
	}
	return env, nil
}
