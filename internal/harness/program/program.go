// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package program runs other programs as this one's children: starts them, ends or kills them, and says how they ended.
package program

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Grace is how long a program may take to end before Stop kills it.
const Grace = 15 * time.Second

// ErrKilled tells that a program did not end within Grace and was killed.
var ErrKilled = errors.New("did not end in time and was killed")

// Spec says what to run.
type Spec struct {
	Path   string
	Args   []string
	Env    []string  // added to this program's environment, as "NAME=value"
	Output io.Writer // stdout and stderr; nil discards both
}

// Process is a program that was started. Its methods may be called from several goroutines.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; read it after done is closed
}

// Start runs a program in a process group of its own, so that Ctrl-C in a terminal reaches only this program, which then
// ends the others in the right order. On Linux it ends with this program however that ends.
func Start(s Spec) (*Process, error) {
	cmd := exec.Command(s.Path, s.Args...) //nolint:gosec // the caller's choice, which ends by Stop, not by a context
	cmd.Env = append(os.Environ(), s.Env...)
	cmd.Stdout, cmd.Stderr = s.Output, s.Output
	cmd.SysProcAttr = attributes()
	forking.Lock()
	err := cmd.Start()
	forking.Unlock()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Path, err)
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running tells whether the program has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Err waits for the end and says how it was: nil after exit status 0.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Signaled waits for the end and tells whether a signal ended the program, kill -9 for instance, in place of an exit of its
// own.
func (p *Process) Signaled() bool { return p.signal() != 0 }

// signal waits for the end and is the signal that was its cause, 0 if there was none.
func (p *Process) signal() syscall.Signal {
	var exit *exec.ExitError
	if !errors.As(p.Err(), &exit) {
		return 0
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0
	}
	return status.Signal()
}

// Stop asks the program to end (SIGTERM), waits until it has, and says how it ended. After Grace it is killed. A program that
// has ended before is none of its business: Err says how that was.
func (p *Process) Stop() error { return p.stop(Grace) }

func (p *Process) stop(grace time.Duration) error {
	if !p.Running() {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it fails only where the program has just ended
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		if p.signal() == syscall.SIGTERM {
			return nil // it had just begun, and did not handle the signal yet
		}
		return p.err
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s %w", p.cmd.Path, ErrKilled)
	}
}

// Kill ends the program at once, as kill -9 does, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it fails only where the program has just ended
	<-p.done
}
