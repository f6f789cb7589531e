// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlplines follows a file of OTLP JSON lines while the Collector's file exporter writes it, through kills of the
// Collector.
package otlplines

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.opentelemetry.io/collector/pdata/plog"
)

// readSize is how much is read from the file at once.
const readSize = 1 << 20

// Follower reads a file from its beginning and then what is appended to it. Where the exporter has rotated files away, it reads
// them one after the other, the oldest first.
type Follower struct {
	path    string
	file    *os.File
	buffer  []byte
	pending []byte // the end of the file, which is no whole line yet
	torn    int
}

// Follow prepares to read the file at path. It need not exist yet.
func Follow(path string) *Follower { return &Follower{path: path, buffer: make([]byte, readSize)} }

// Torn is how many batches were found that a kill had cut off. They were not acknowledged, so they come again.
func (f *Follower) Torn() int { return f.torn }

// Close closes the file.
func (f *Follower) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// Poll reads to the present end of the file and hands over each batch that is complete.
func (f *Follower) Poll(each func(plog.Logs)) error {
	if f.file == nil {
		if err := f.open(); err != nil || f.file == nil {
			return err
		}
	}
	for {
		err := f.drain(each)
		if err != nil {
			return err
		}
		next, err := f.successor()
		if err != nil || next == nil {
			return err
		}
		if broken := f.goOn(next, each); broken != nil {
			return broken
		}
	}
}

// goOn goes over to the next file.
func (f *Follower) goOn(next *os.File, each func(plog.Logs)) error {
	// Once more: the last of the old one may have been written between its end and its renaming.
	err := f.drain(each)
	err = errors.Join(err, f.file.Close())
	f.file = next
	f.tear()
	return err
}

func (f *Follower) drain(each func(plog.Logs)) error {
	for {
		n, err := f.file.Read(f.buffer)
		start := len(f.pending)
		f.pending = append(f.pending, f.buffer[:n]...)
		if broken := f.lines(start, each); broken != nil {
			return broken
		}
		switch {
		case errors.Is(err, io.EOF):
			return f.unended(each)
		case err != nil:
			return fmt.Errorf("reading %s: %w", f.path, err)
		}
	}
}
