// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
)

// roleVariable makes this test's program play one of the programs that the quickstart runs.
const roleVariable = "QUICKSTART_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	time.Local = time.UTC
	os.Exit(m.Run())
}

func play(role string) int {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	fmt.Println("RUN_DIR is " + os.Getenv("RUN_DIR"))
	switch role {
	case "failing":
		fmt.Println("no such thing")
		return 3
	case "finished":
		return 0
	case "sloppy":
		fmt.Println("serving")
		<-end
		fmt.Println("could not end well")
		return 4
	}
	fmt.Println("serving")
	<-end
	return 0
}

// player starts this test's program in a role.
func player(role string, output *os.File) func() (*program.Process, error) {
	return func() (*program.Process, error) {
		// The race detector's runtime waits a second at the end of each process unless told not to.
		env := []string{roleVariable + "=" + role, "GORACE=atexit_sleep_ms=0"}
		return program.Start(program.Spec{Path: os.Args[0], Env: env, Output: output})
	}
}

func TestWhatWouldBeIgnoredIsRefused(t *testing.T) {
	require.NoError(t, (&options{}).check(nil))
	require.ErrorContains(t, (&options{}).check([]string{"my.yaml"}), `"my.yaml"`)
	require.ErrorContains(t, (&options{runFor: -time.Second}).check(nil), "-run-for is -1s")
}

func TestOnlyAMissingProgramIsToBeBuilt(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := program.Start(program.Spec{Path: missing})
	require.True(t, programMissing(err), err)
	_, err = os.ReadFile(missing)
	require.False(t, programMissing(fmt.Errorf("reading: %w", err)))
}
