// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// scanner returns a Watcher of patterns below root, and what a Scan finds in words.
func scanner(root string, patterns ...string) (w *Watcher, scan func() []string) {
	set := Settings{Identity: identity}
	for _, pattern := range patterns {
		set.Patterns = append(set.Patterns, filepath.Join(root, pattern))
	}
	w = New(set)
	return w, func() []string { return state(w.Scan(), root) }
}

func TestScanFindsKeys(t *testing.T) {
	binding := func(t *testing.T, tenant string) map[string]string {
		t.Helper()
		return map[string]string{"uaa": toJSON(t, secretUAA(tenant, "s")), "url": apiURL, "plan": "default"}
	}
	tests := []struct {
		name     string
		patterns []string
		files    map[string]string
		want     []string
	}{
		{"path", []string{"a.json"}, map[string]string{"a.json": "A", "b.json": "B"}, []string{"A: s@a.json"}},
		{"glob", []string{"*.json"}, map[string]string{"a.json": "A", "b.json": "B", "c.txt": "C"}, []string{"A: s@a.json", "B: s@b.json"}},
		{"several patterns", []string{"a.*", "*.json"}, map[string]string{"a.json": "A", "b.json": "B"}, []string{"A: s@a.json", "B: s@b.json"}},
		{"nested globs", []string{"*/keys/[ab].json"}, map[string]string{"x/keys/a.json": "A", "y/keys/b.json": "B", "y/keys/c.json": "C", "z": "D", "y/a.json": "E"}, []string{"A: s@x/keys/a.json", "B: s@y/keys/b.json"}},
		{"sorted by source", []string{"*"}, map[string]string{"1": "C", "2": "A", "3": "B"}, []string{"A: s@2", "B: s@3", "C: s@1"}},
		{"hidden names", []string{"*", ".h*"}, map[string]string{"a.json": "A", ".hidden": "B", ".other": "C"}, []string{"A: s@a.json", "B: s@.hidden"}},
		{"a backslash that escapes", []string{`a\*.json`}, map[string]string{"a*.json": "A", "ab.json": "B"}, []string{"A: s@a*.json"}},
		{"directory", []string{"binding"}, map[string]string{"binding/a.json": "A", "binding/sub/b.json": "B"}, []string{"A: s@binding"}},
		{"same key twice", []string{"*.json", "dir"}, map[string]string{"a.json": "A", "dir/a.json": "A"}, []string{"A: s@a.json"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for name, tenant := range tt.files {
				write(t, filepath.Join(root, name), secretKey(t, tenant, "s"))
				setTime(t, filepath.Join(root, name), time.Hour)
			}
			_, scan := scanner(root, tt.patterns...)
			require.Equal(t, tt.want, scan())
		})
	}

	t.Run("bindings mounted by Kubernetes", func(t *testing.T) {
		root := t.TempDir()
		mount(t, filepath.Join(root, "one"), binding(t, "A"))
		mount(t, filepath.Join(root, "two"), binding(t, "B"))
		mount(t, filepath.Join(root, "files"), map[string]string{"c.json": secretKey(t, "C", "s"), "d.json": secretKey(t, "D", "s")})
		_, scan := scanner(root, "one", "tw*", "files/*")
		require.Equal(t, []string{"A: s@one", "B: s@two", "C: s@files/c.json", "D: s@files/d.json"}, scan())
	})

	t.Run("relative", func(t *testing.T) {
		t.Chdir(t.TempDir())
		write(t, "a.json", secretKey(t, "A", "s"))
		for _, pattern := range []string{"a.json", "./*.json", "."} {
			s := New(Settings{Patterns: []string{pattern}, Identity: identity}).Scan()
			require.Len(t, s.Sources, 1, pattern)
			require.Empty(t, s.Problems, pattern)
		}
	})
}

func TestScanOrdersTheCredentialsOfASource(t *testing.T) {
	expires := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	root := t.TempDir()
	for name, content := range map[string]string{
		"1.json": certKey(t, expires(2031)), "2.json": certKey(t, expires(2033)), "3.json": certKey(t, expires(2032)),
		"4.json": secretKey(t, "A", "oldest"), "5.json": secretKey(t, "A", "newest"), "6.json": secretKey(t, "A", "middle"),
		"7.json": secretKey(t, "B", "other"), "8.json": certKey(t, expires(2021)), "9.json": certKey(t, expires(2022)),
	} {
		write(t, filepath.Join(root, name), content)
	}
	setTime(t, filepath.Join(root, "4.json"), 3*time.Hour)
	setTime(t, filepath.Join(root, "5.json"), time.Hour)
	setTime(t, filepath.Join(root, "6.json"), 2*time.Hour)

	_, scan := scanner(root, "*.json")
	require.Equal(t, []string{
		"A: 2033@2.json 2032@3.json 2031@1.json newest@5.json middle@6.json oldest@4.json 2022@9.json 2021@8.json",
		"B: other@7.json",
	}, scan())
}

func TestScanOrdersAlikeWhenTimesAreEqual(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"c", "a", "d", "b"} {
		write(t, filepath.Join(root, name), secretKey(t, "A", name))
		setTime(t, filepath.Join(root, name), time.Hour)
	}
	for range 10 {
		_, scan := scanner(root, "*")
		require.Equal(t, []string{"A: a@a b@b c@c d@d"}, scan())
	}
}

func TestScanOrdersByTheFileThatGaveTheKey(t *testing.T) {
	root := t.TempDir()
	older, newer := filepath.Join(root, "1"), filepath.Join(root, "2")
	write(t, older, secretKey(t, "A", "one"))
	setTime(t, older, 2*time.Hour)
	write(t, newer, secretKey(t, "A", "two"))
	setTime(t, newer, time.Hour)
	_, scan := scanner(root, "*")
	require.Equal(t, []string{"A: two@2 one@1"}, scan())

	// Broken by now, it still gives the older key.
	write(t, older, "{")
	require.Equal(t, []string{"A: two@2 one@1", "problem: 1"}, scan())
	write(t, older, secretKey(t, "A", "six"))
	require.Equal(t, []string{"A: six@1 two@2"}, scan())
	setTime(t, older, 3*time.Hour)
	require.Equal(t, []string{"A: two@2 six@1"}, scan())
}

func TestScanSaysWhatGivesNoKey(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "good.json"), secretKey(t, "A", "s"))
	write(t, filepath.Join(root, "half.json"), secretKey(t, "B", "canary")[:60])
	write(t, filepath.Join(root, "dir", "key.json"), `{"uaa":"canary"}`)
	write(t, filepath.Join(root, "large.json"), string(make([]byte, 3<<20)))
	require.NoError(t, os.Mkdir(filepath.Join(root, "empty"), 0o755))
	link(t, "nothing", filepath.Join(root, "dangling.json"))
	link(t, "loop", filepath.Join(root, "loop"))
	link(t, os.DevNull, filepath.Join(root, "device.json"))

	w, scan := scanner(root, "*.json", "dir", "empty", "missing.json", "none/*.json", "*.yaml", "good.json/x", "loop/*", "loop/y", "[")
	require.Equal(t, "A: s@good.json", scan()[0])
	problems := w.Scan().Problems
	for name, want := range map[string]string{
		"half.json":     "the service key is not JSON",
		"dir":           "key.json: the service key lacks url",
		"large.json":    "larger than 1048576 bytes",
		"empty":         "the directory of the service key has no files",
		"dangling.json": "a symbolic link to nothing: file does not exist",
		"loop":          "too many levels of symbolic links",
		"device.json":   "neither a file nor a directory",
		"missing.json":  "no file or directory matches: file does not exist",
		"none/*.json":   "no file or directory matches",
		"*.yaml":        "no file or directory matches",
		"good.json/x":   "no file or directory matches",
		"[":             "syntax error in pattern",
	} {
		path := filepath.Join(root, name)
		require.ErrorContains(t, problems[path], want, name)
		require.NotContains(t, problems[path].Error(), "canary")
		delete(problems, path)
	}
	require.Empty(t, problems)
}

func TestScanKeepsWhatCannotBeReadUntilItIsGone(t *testing.T) {
	root := t.TempDir()
	elsewhere := t.TempDir()
	path := filepath.Join(root, "keys", "a.json")
	write(t, path, secretKey(t, "A", "one"))
	_, scan := scanner(root, "keys/*.json")
	require.Equal(t, []string{"A: one@keys/a.json"}, scan())

	write(t, path, secretKey(t, "A", "two")[:50])
	require.Equal(t, []string{"A: one@keys/a.json", "problem: keys/a.json"}, scan())

	write(t, path, secretKey(t, "A", "two"))
	require.Equal(t, []string{"A: two@keys/a.json"}, scan())

	// Whether there are keys in a directory that cannot be entered is not known.
	aside := filepath.Join(elsewhere, "keys")
	require.NoError(t, os.Rename(filepath.Join(root, "keys"), aside))
	link(t, "keys", filepath.Join(root, "keys"))
	require.Equal(t, []string{"A: two@keys/a.json", "problem: keys", "problem: keys/a.json"}, scan())

	link(t, aside, filepath.Join(root, "keys"))
	require.Equal(t, []string{"A: two@keys/a.json"}, scan())

	require.NoError(t, os.Remove(filepath.Join(aside, "a.json")))
	require.Equal(t, []string{"problem: keys/*.json"}, scan())
}

func TestScanTakesAFileWhereADirectoryWasForItsEnd(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "keys", "a.json"), secretKey(t, "A", "one"))
	_, scan := scanner(root, "keys/a.json")
	require.Equal(t, []string{"A: one@keys/a.json"}, scan())

	require.NoError(t, os.RemoveAll(filepath.Join(root, "keys")))
	write(t, filepath.Join(root, "keys"), "")
	require.Equal(t, []string{"problem: keys/a.json"}, scan())
}

func TestScanKeepsOnlyTheSourcesThatAreMissingFromABrokenFile(t *testing.T) {
	root := t.TempDir()
	bindings := func(keys ...map[string]any) string {
		var list []any
		for _, uaa := range keys {
			list = append(list, map[string]any{"credentials": map[string]any{"uaa": uaa, "url": apiURL}})
		}
		return toJSON(t, map[string]any{"auditlog-management": list})
	}
	path := filepath.Join(root, "vcap.json")
	_, scan := scanner(root, "vcap.json")

	write(t, path, bindings(secretUAA("A", "a1"), secretUAA("B", "b1"), secretUAA("B", "b2")))
	require.Equal(t, []string{"A: a1@vcap.json", "B: b1@vcap.json b2@vcap.json"}, scan())

	write(t, path, bindings(secretUAA("A", "a2"), map[string]any{}))
	require.Equal(t, []string{"A: a2@vcap.json", "B: b1@vcap.json b2@vcap.json", "problem: vcap.json"}, scan())

	write(t, path, bindings(secretUAA("A", "a2")))
	require.Equal(t, []string{"A: a2@vcap.json"}, scan())
}

func TestScanLooksIntoAProblemEachTime(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.json"), secretKey(t, "A", "one"))
	// As of a file outside of the directory, or of the system's limits.
	err := errors.New("too many open files")
	w := New(Settings{
		Patterns: []string{filepath.Join(root, "*")}, Identity: identity,
		Load: func(path string) ([]servicekey.Key, error) {
			if err != nil {
				return nil, err
			}
			return servicekey.Load(path)
		},
	})
	require.Equal(t, []string{"problem: a.json"}, state(w.Scan(), root))
	err = nil
	require.Equal(t, []string{"A: one@a.json"}, state(w.Scan(), root))
}

func TestScanForgetsAFileThatVanishesWhileItIsRead(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a.json")
	write(t, path, secretKey(t, "A", "one"))
	w := New(Settings{
		Patterns: []string{filepath.Join(root, "*")}, Identity: identity,
		Load: func(path string) ([]servicekey.Key, error) {
			_ = os.Remove(path)
			return nil, fs.ErrNotExist
		},
	})
	require.Empty(t, state(w.Scan(), root))
}

func TestScanBoundsWhatAGlobLeadsTo(t *testing.T) {
	root := t.TempDir()
	const n = 71 // each of so many names leads to each of so many files
	for i := range n {
		link(t, ".", filepath.Join(root, fmt.Sprintf("dir-%02d", i)))
		write(t, filepath.Join(root, fmt.Sprintf("file-%02d", i)), "")
	}
	require.Greater(t, n*n, maxVisits)
	loads := 0
	w := New(Settings{
		Patterns: []string{filepath.Join(root, "dir-*", "file-*")}, Identity: identity,
		Load: func(string) ([]servicekey.Key, error) { loads++; return nil, nil },
	})
	s := w.Scan()
	require.Len(t, s.Problems, 1)
	require.ErrorContains(t, s.Problems[w.set.Patterns[0]], "more than 5000 files and directories")
	require.InDelta(t, maxVisits, loads, n+20) // less the directories on the way
}
