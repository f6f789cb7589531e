// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxVisits bounds the files and directories that patterns lead to. The largest
// sensible sets have some hundred; a glob that fits half of a disk is a mistake.
const maxVisits = 5000

var (
	errNoMatch = fmt.Errorf("no file or directory matches: %w", fs.ErrNotExist)
	errTooMany = fmt.Errorf("leads to more than %d files and directories; those beyond are left out, give a narrower glob", maxVisits)
)

// expansion is what patterns lead to at one time.
type expansion struct {
	// paths are the matches. They exist, or that cannot be told.
	paths map[string]bool
	// dirs are the directories in which a change can change the matches or
	// what they hold. Some may not exist yet.
	dirs map[string]bool
	// problems are those of finding matches, by path or pattern.
	problems map[string]error
	// matches are the paths by pattern.
	matches map[string][]string
	pattern string // being followed
	visits  int
}

func expand(patterns []string) *expansion {
	x := &expansion{paths: map[string]bool{}, dirs: map[string]bool{}, problems: map[string]error{}, matches: map[string][]string{}}
	for _, pattern := range patterns {
		x.pattern = pattern
		root, elems := split(pattern)
		found, err := x.walk(root, elems)
		if err == nil && !found {
			err = errNoMatch
		}
		if err != nil {
			x.problems[pattern] = err
		}
	}
	return x
}

// split cuts a path or pattern into its root, "." for a relative one, and its elements.
func split(path string) (root string, elems []string) {
	volume := filepath.VolumeName(path)
	rest := filepath.ToSlash(path[len(volume):])
	root = "."
	if strings.HasPrefix(rest, "/") {
		root = volume + string(filepath.Separator)
	}
	for elem := range strings.SplitSeq(rest, "/") {
		if elem != "" && elem != "." {
			elems = append(elems, elem)
		}
	}
	return root, elems
}

// walk finds what in dir matches the elements. It reports whether there is
// anything to tell of, a match or a problem. An error ends the pattern.
func (x *expansion) walk(dir string, elems []string) (bool, error) {
	if len(elems) == 0 {
		return x.match(dir, true), nil
	}
	elem, rest := elems[0], elems[1:]
	if !strings.ContainsAny(elem, `*?[\`) {
		return x.visit(filepath.Join(dir, elem), rest)
	}
	x.dirs[dir] = true
	entries, err := os.ReadDir(dir) // those read before an error are given, too
	found := err != nil && !isNotExist(err)
	if found {
		x.problems[dir] = fmt.Errorf("listing the directory: %w", withoutPath(err))
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(elem, ".") {
			continue
		}
		matches, err := filepath.Match(elem, name)
		if err != nil {
			return true, err
		}
		if !matches {
			continue
		}
		below, err := x.visit(filepath.Join(dir, name), rest)
		if err != nil {
			return true, err
		}
		found = found || below
	}
	return found, nil
}

// visit looks at a path that matches so far; the rest has to match below it.
func (x *expansion) visit(path string, rest []string) (bool, error) {
	if x.visits++; x.visits > maxVisits {
		return true, errTooMany
	}
	link, err := os.Lstat(path)
	isLink := err == nil && link.Mode()&fs.ModeSymlink != 0
	if isLink {
		x.trail(path)
	}
	info, err := os.Stat(path)
	switch {
	case isNotExist(err):
		x.dirs[path] = true
		if isLink {
			x.problems[path] = fmt.Errorf("a symbolic link to nothing: %w", fs.ErrNotExist)
		}
		return isLink, nil
	case len(rest) == 0:
		// Also where it cannot be told what is there: Load will say why.
		return x.match(path, err == nil && info.IsDir()), nil
	case err != nil:
		x.problems[path] = withoutPath(err)
		return true, nil
	case info.IsDir():
		return x.walk(path, rest)
	default: // a file where a directory would have to be
		x.dirs[filepath.Dir(path)] = true
		return false, nil
	}
}

func (x *expansion) match(path string, isDir bool) bool {
	x.paths[path] = true
	x.matches[x.pattern] = append(x.matches[x.pattern], path)
	x.dirs[filepath.Dir(path)] = true
	if isDir {
		x.dirs[path] = true
	}
	return true
}
