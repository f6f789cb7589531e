// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package distribution gives tests the built programs, so that they show what a user gets and not only what a package does.
package distribution

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// BinVariable is the environment variable that names the folder of the programs; default bin in the module's root.
const BinVariable = "E2E_BIN"

// Root is the module's root: the nearest folder with a go.mod, from the test's package upwards.
func Root() string {
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir
		}
	}
	return "."
}

// build makes the programs if they are not there, once for all tests of a package.
var build = sync.OnceValue(func() error {
	cmd := exec.Command("make", "build")
	cmd.Dir = Root()
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make build: %w\n%s", err, text)
	}
	return nil
})

// Program gives the path of a program that make build makes. make test builds first; elsewhere it is built if it is absent.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	dir := os.Getenv(BinVariable)
	if dir == "" {
		dir = filepath.Join(Root(), "bin")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil { //nolint:gosec // the path is the tester's
		return path
	}
	if err := build(); err != nil {
		tb.Fatalf("%s is not there: %v", path, err)
	}
	if _, err := os.Stat(path); err != nil { //nolint:gosec // the path is the tester's
		tb.Fatalf("make build does not make %s: %v", path, err)
	}
	return path
}
