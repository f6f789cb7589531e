// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// binary is the test program of a package.
type binary struct {
	pkg   string // import path
	dir   string // of the sources, where it runs
	path  string
	hash  string // of the program and of the files beside the sources
	tests []string
}

// build makes the test binaries in dir, and leaves out packages without tests.
func build(ctx context.Context, set *settings, dir string) ([]*binary, error) {
	args := append([]string{"list", "-f", "{{.ImportPath}}\t{{.Dir}}\t{{len .TestGoFiles}}{{len .XTestGoFiles}}"}, set.packages...)
	listed, err := command(ctx, set.folder, "go", args...)
	if err != nil {
		return nil, err
	}
	var binaries []*binary
	for line := range strings.Lines(string(listed)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) == 3 && fields[2] != "00" {
			binaries = append(binaries, &binary{
				pkg: fields[0], dir: fields[1], path: filepath.Join(dir, strconv.Itoa(len(binaries))+".test"),
			})
		}
	}
	errs := make([]error, len(binaries))
	each(binaries, set.workers, func(i int, b *binary) { errs[i] = b.build(ctx, set) })
	return binaries, errors.Join(errs...)
}

// each does something with all binaries, some at a time.
func each(binaries []*binary, atOnce int, do func(int, *binary)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, b := range binaries {
		slots <- struct{}{}
		all.Go(func() {
			do(i, b)
			<-slots
		})
	}
	all.Wait()
}

func (b *binary) build(ctx context.Context, set *settings) error {
	args := []string{"test", "-c", "-buildvcs=false", "-o", b.path}
	if set.race {
		args = append(args, "-race")
	}
	if _, err := command(ctx, set.folder, "go", append(args, b.pkg)...); err != nil {
		return err
	}
	return b.look(ctx, set)
}

// look finds out what is in the binary.
func (b *binary) look(ctx context.Context, set *settings) error {
	names, err := command(ctx, b.dir, b.path, "-test.list=^(Test|Fuzz|Example)")
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(names)) {
		if set.names == nil || set.names.MatchString(name) {
			b.tests = append(b.tests, name)
		}
	}
	sum := sha256.New()
	err = errors.Join(add(sum, b.path), filepath.WalkDir(b.dir, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && filepath.Dir(path) == b.dir && entry.Name() != "testdata":
			return filepath.SkipDir // another package
		case entry.Type().IsRegular() && filepath.Ext(path) != ".go":
			return add(sum, path)
		}
		return nil
	}))
	b.hash = hex.EncodeToString(sum.Sum(nil)[:12])
	return err
}

func add(sum io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(sum, f)
	return err
}

// command runs a program to its end and returns what it wrote.
func command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // go, or a test binary that it made
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(append(out, exit.Stderr...)))
	}
	return out, err
}
