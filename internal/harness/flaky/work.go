// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// hang is when a process that does not end has failed. No busy machine takes that long.
const hang = time.Hour

// workers run what is planned.
type workers struct {
	set      *settings
	plan     *plan
	results  *results
	progress io.Writer
	deadline time.Time // zero for none

	alone sync.RWMutex // held by the whole, and shared by everything else
	mu    sync.Mutex   // of progress and err
	err   error
}

func (w *workers) work(ctx context.Context) error {
	var all sync.WaitGroup
	for range w.set.workers {
		all.Go(func() {
			for ctx.Err() == nil {
				left := time.Duration(math.MaxInt64)
				if !w.deadline.IsZero() {
					left = time.Until(w.deadline)
				}
				if left <= 0 {
					return
				}
				u, times := w.plan.next(left)
				if u == nil {
					return
				}
				w.do(ctx, u, times)
			}
		})
	}
	all.Wait()
	return w.err
}

// do runs a unit some times and keeps what came of it.
func (w *workers) do(ctx context.Context, u *unit, times int) {
	var r result
	if u.binary == nil {
		w.alone.Lock()
		r = w.everything(ctx)
		w.alone.Unlock()
	} else {
		w.alone.RLock()
		r = w.process(ctx, u.binary, u.test, times)
		w.alone.RUnlock()
	}
	r.ID, r.Name = u.id, u.name()
	if ctx.Err() != nil {
		r = result{} // it was cut off
	} else if err := w.results.add(r); err != nil {
		w.mu.Lock()
		w.err = cmp.Or(w.err, err)
		w.mu.Unlock()
	}
	w.plan.done(u, r)
	if r.Failed > 0 {
		w.mu.Lock()
		_, _ = fmt.Fprintf(w.progress, "%s failed %d of %d: %s\n", u.name(), r.Failed, r.Runs, r.Message)
		w.mu.Unlock()
	}
}

// everything runs all packages once, side by side.
func (w *workers) everything(ctx context.Context) result {
	whole := result{Runs: 1}
	began := time.Now()
	var mu sync.Mutex
	each(w.plan.all, w.set.workers, func(_ int, b *binary) {
		r := w.process(ctx, b, "", 1)
		mu.Lock()
		defer mu.Unlock()
		whole.Work += r.Work
		if r.Failed > 0 {
			whole.Failed = 1
			whole.Message = cmp.Or(whole.Message, b.pkg+": "+r.Message)
		}
	})
	whole.Took = time.Since(began)
	whole.Slowest = whole.Took
	return whole
}

// process runs a test some times, or a package once, in one process.
func (w *workers) process(ctx context.Context, b *binary, test string, times int) result {
	args := []string{"-test.v=test2json", "-test.timeout=" + hang.String(), "-test.count=" + strconv.Itoa(times)}
	if test != "" {
		args = append(args, "-test.run=^"+test+"$")
	}
	cmd := exec.CommandContext(ctx, b.path, args...) //nolint:gosec // made by build
	cmd.Dir = b.dir
	cmd.WaitDelay = time.Minute
	// The race detector's runtime waits a second at the end of each process unless told not to.
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	began := time.Now()
	err := cmd.Run()
	r := result{Took: time.Since(began)}
	if cmd.ProcessState != nil {
		r.Work = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	r.sum(parse(output.String()), test, err)
	if r.Failed > 0 && ctx.Err() == nil {
		w.keep(b, test, output.Bytes())
	}
	return r
}

// sum makes of what a process said and how it ended one result.
func (r *result) sum(o outcome, test string, err error) {
	if test != "" {
		t := o.of(test)
		r.Runs, r.Failed, r.Slowest, r.Message = t.runs, t.failed, t.slowest, t.message
	} else {
		r.Runs, r.Slowest = 1, r.Took
		for name, t := range o {
			if t.failed > 0 {
				r.Failed = 1
				r.Message = strings.TrimSpace(r.Message + " " + name + ": " + t.message)
			}
		}
	}
	if err == nil || r.Message != "" {
		return
	}
	// It ended in another way than by an assertion: a panic, a time-out, a race or a leak outside of the tests.
	r.Runs, r.Failed = max(r.Runs, 1), max(r.Failed, 1)
	for name, t := range o {
		if m := reason(t.said); m != "" {
			r.Message = strings.TrimSpace(r.Message + " " + name + " " + m)
		}
	}
	r.Message = cmp.Or(r.Message, err.Error())
}

// keep writes what a run said that failed beside the file of results.
func (w *workers) keep(b *binary, test string, output []byte) {
	name := strings.ReplaceAll(b.pkg, "/", "_") + "." + cmp.Or(test, "package") + ".log"
	path := filepath.Join(filepath.Dir(w.set.file), "flaky-"+name)
	if _, err := os.Stat(path); err == nil {
		return // the first one says most
	}
	_ = os.WriteFile(path, output, 0o600) // without it the message is still in the table
}
