// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package otlplines

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// successor opens the file that the exporter went on with after the present one, and gives nil while that is still the
// newest. Rotated files have the time in their names, so names in order are files in order; a reader that is slow may have
// more than one of them before it.
func (f *Follower) successor() (*os.File, error) {
	// Opened before the names are listed, so that no file can come in between unseen.
	newest, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // between the renaming of the old and the making of the new file
	}
	if err != nil {
		return nil, err
	}
	present, err := f.file.Stat()
	if err != nil {
		return nil, errors.Join(err, newest.Close())
	}
	info, err := newest.Stat()
	if err != nil || os.SameFile(present, info) {
		return nil, errors.Join(err, newest.Close())
	}
	after, err := f.rotatedAfter(present)
	if err != nil {
		return nil, errors.Join(err, newest.Close())
	}
	if after == "" {
		return newest, nil
	}
	next, err := os.Open(after)
	return next, errors.Join(err, newest.Close())
}

var errRemoved = errors.New("a rotated file was removed before it was read to its end")

// open opens the oldest file that there is, and none if there is none yet.
func (f *Follower) open() error {
	// Opened before the names are listed, as above.
	newest, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := f.rotated()
	if err != nil || len(names) == 0 {
		f.file = newest
		return err
	}
	f.file, err = os.Open(names[0])
	return errors.Join(err, newest.Close())
}

// rotatedAfter finds the rotated file that comes after the present one, which must be among them; empty if it is the last.
func (f *Follower) rotatedAfter(present fs.FileInfo) (string, error) {
	names, err := f.rotated()
	if err != nil {
		return "", err
	}
	for i, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return "", err
		}
		if !os.SameFile(present, info) {
			continue
		}
		if i+1 < len(names) {
			return names[i+1], nil
		}
		return "", nil
	}
	return "", errRemoved
}

// rotated lists the files that were rotated away, oldest first.
func (f *Follower) rotated() ([]string, error) {
	extension := filepath.Ext(f.path)
	names, err := filepath.Glob(strings.TrimSuffix(f.path, extension) + "-*" + extension)
	slices.Sort(names)
	return names, err
}
