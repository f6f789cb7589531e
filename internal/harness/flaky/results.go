// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// result is what came of a batch, a line of the file of results.
type result struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"` // for whoever reads the file
	Runs    int           `json:"runs"`
	Failed  int           `json:"failed,omitempty"`
	Message string        `json:"message,omitempty"` // of the first failure
	Slowest time.Duration `json:"slowest"`           // of one run, on the wall clock
	Took    time.Duration `json:"took"`              // the batch, on the wall clock
	Work    time.Duration `json:"work"`              // the batch, of processors
}

// results is the file. It only grows.
type results struct {
	earlier []result

	mu   sync.Mutex
	file *os.File
}

func openResults(path string) (*results, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	r := &results{}
	old, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		defer func() { _ = old.Close() }()
		lines := bufio.NewScanner(old)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var one result
			if json.Unmarshal(lines.Bytes(), &one) == nil { // a line that was cut when the last run was killed counts for nothing
				r.earlier = append(r.earlier, one)
			}
		}
		if err = lines.Err(); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	r.file, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return r, err
}

func (r *results) add(one result) error {
	line, err := json.Marshal(one)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// Beginning with the line's end keeps it apart from one that was cut.
	_, err = r.file.Write(append([]byte{'\n'}, line...))
	return err
}

func (r *results) close() error { return r.file.Close() }
