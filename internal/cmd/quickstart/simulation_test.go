// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSimulatedServicesThatCannotStartSayWhy(t *testing.T) {
	t.Setenv(roleVariable, "failing")
	o := options{simulate: true, simulator: os.Args[0], dir: t.TempDir()}
	for range 2 {
		_, err := newWorld(t.Context(), o, &screen{out: &bytes.Buffer{}})
		require.ErrorContains(t, err, "the simulated services ended: exit status 3")
		require.ErrorContains(t, err, "no such thing", "their own words")
		require.NotContains(t, err.Error(), "another quickstart", "the folder was given back")
	}
	o.simulator = filepath.Join(t.TempDir(), "nothing")
	require.ErrorIs(t, run(t.Context(), o), os.ErrNotExist)
}

func TestAnInterruptWhileStartingIsNoError(t *testing.T) {
	t.Setenv(roleVariable, "serving") // and never answers
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.NoError(t, run(ctx, options{simulate: true, simulator: os.Args[0], dir: t.TempDir()}))
}
