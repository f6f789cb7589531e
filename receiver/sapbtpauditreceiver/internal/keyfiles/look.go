// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// maxContent bounds what is looked at for changes at one path. It is more
	// than a key may have, so that what lies beyond is a problem anyway.
	maxContent = 2 << 20

	// settleTime is how long ago a file has to be changed for size and times to
	// tell its next change from this one: some file systems count in 2 seconds.
	settleTime = 3 * time.Second
)

// look is how the files at a path look from outside: the one, or those of the
// directory that servicekey reads.
type look struct {
	files   []file
	changed time.Time // when the last of them was changed
	settled bool      // no further change can look the same
}

type file struct {
	path string
	info fs.FileInfo
}

// lookAt looks at a path. Where it fails, what it returns is like nothing seen before.
func lookAt(path string) (look, error) {
	info, err := os.Stat(path)
	if err != nil {
		return look{}, err
	}
	files := []file{{path, info}}
	if info.IsDir() {
		if files, err = filesOf(path); err != nil {
			return look{}, err
		}
	}
	l := look{files: files}
	for _, f := range files {
		if changed := f.info.ModTime(); changed.After(l.changed) {
			l.changed = changed
		}
	}
	l.settled = time.Since(l.changed) > settleTime
	return l, nil
}

// filesOf returns the files of a directory that can be parts of a key. In a
// Secret mounted by Kubernetes these are links, which lead elsewhere all at once.
func filesOf(dir string) ([]file, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			files = append(files, file{path, info})
		}
	}
	return files, nil
}

// same reports whether nothing tells two looks apart.
func (l look) same(other look) bool {
	return slices.EqualFunc(l.files, other.files, func(a, b file) bool {
		return a.path == b.path && os.SameFile(a.info, b.info) && a.info.Mode() == b.info.Mode() &&
			a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
	})
}

// digest returns a digest of the names and contents of the files.
func (l look) digest() ([sha256.Size]byte, error) {
	hash := sha256.New()
	room := int64(maxContent)
	for _, f := range l.files {
		n, err := f.copyTo(hash, room)
		if err != nil {
			return [sha256.Size]byte{}, err
		}
		hash.Write(fmt.Appendf(nil, "%d %q\n", n, filepath.Base(f.path)))
		if room -= n; room <= 0 {
			break
		}
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

func (f file) copyTo(w io.Writer, limit int64) (int64, error) {
	if !f.info.Mode().IsRegular() {
		return 0, nil // reading a pipe could wait for ever
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = opened.Close() }()
	return io.Copy(w, io.LimitReader(opened, limit))
}
