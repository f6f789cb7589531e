// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// maxLinks bounds the symbolic links on the way to one file, as systems do.
const maxLinks = 40

// trail notes the directories of the symbolic links on the way to path, each of
// which may be replaced to change what is there, and that of the file itself.
func (x *expansion) trail(path string) {
	dir, elems := split(path)
	for links := 0; len(elems) > 0; {
		next := filepath.Join(dir, elems[0])
		elems = elems[1:]
		target, err := os.Readlink(next)
		if err != nil {
			dir = next // not a link, or nothing at all
			continue
		}
		x.dirs[dir] = true
		if links++; links > maxLinks {
			return
		}
		root, rest := split(target)
		if filepath.IsAbs(target) {
			dir = root
		}
		elems = slices.Concat(rest, elems)
	}
	x.dirs[filepath.Dir(dir)] = true
}

// existing returns the real path of dir, or of the nearest directory above it
// that exists and may be entered.
func existing(dir string) string {
	for {
		if resolved, err := filepath.EvalSymlinks(dir); err == nil {
			return resolved
		}
		above := filepath.Dir(dir)
		if above == dir {
			return dir
		}
		dir = above
	}
}

// isGone reports whether it is certain that there is nothing at path.
func isGone(path string) bool {
	_, err := os.Stat(path)
	return isNotExist(err)
}

func isNotExist(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// withoutPath takes the path out of a file error that is reported beside it.
func withoutPath(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
