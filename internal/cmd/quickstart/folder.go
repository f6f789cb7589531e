// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// folder is where a run keeps everything: state, output, logs.
type folder struct {
	dir  string
	lock *os.File
}

// Names in the folder. Only these are ever removed from it, so that a wrong -dir costs nobody a home directory.
const (
	stateName     = "state"
	eventsName    = "events.jsonl"
	eventsRotated = "events-*.jsonl"
	keyName       = "sap-service-key.json"
	ledgerName    = "sap-ledger.jsonl"
	collectorLog  = "otelcol-audit.log"
	simulatorLog  = "simulator.log"
	killsName     = "kills"
	lockName      = "lock"
)

// openFolder makes the folder, for this run alone, and clears away the last run unless it is to be kept.
func openFolder(dir string, keep bool) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, notUsable(err)
	}
	f := &folder{dir: dir}
	var err error
	if f.lock, err = os.OpenFile(f.path(lockName), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, notUsable(err)
	}
	if err := syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another quickstart is running in %s: end it first, or name another folder with -dir", dir), f.close())
	}
	if keep {
		return f, nil
	}
	if err := f.clear(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func notUsable(err error) error {
	return fmt.Errorf("the folder for state and output cannot be used: %w; name another one with -dir", err)
}

func (f *folder) clear() error {
	var errs []error
	for _, name := range []string{stateName, eventsName, eventsRotated, keyName, ledgerName, collectorLog, simulatorLog, killsName} {
		paths, err := filepath.Glob(f.path(name))
		errs = append(errs, err)
		for _, path := range paths {
			errs = append(errs, os.RemoveAll(path))
		}
	}
	return errors.Join(errs...)
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// log opens a log in the folder to be appended to.
func (f *folder) log(name string) (*os.File, error) {
	return os.OpenFile(f.path(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

func (f *folder) close() error { return f.lock.Close() }
