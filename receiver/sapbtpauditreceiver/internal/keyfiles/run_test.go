// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

func TestRunFollowsARotationWithOverlap(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "old.json"), secretKey(t, "A", "one"))
	setTime(t, filepath.Join(root, "old.json"), time.Hour)
	f := follow(t, root, "*.json")
	f.await(t, "A: one@old.json")

	f.kept = "A:"
	replace(t, filepath.Join(root, "new.json"), secretKey(t, "A", "two"))
	f.await(t, "A: two@new.json one@old.json")
	require.NoError(t, os.Remove(filepath.Join(root, "old.json")))
	f.await(t, "A: two@new.json")

	// From secret to certificate.
	replace(t, filepath.Join(root, "cert.json"), certKey(t, time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)))
	f.await(t, "A: 2031@cert.json two@new.json")
	require.NoError(t, os.Remove(filepath.Join(root, "new.json")))
	f.await(t, "A: 2031@cert.json")
}

func TestRunTakesARenamedFileForTheSameSource(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.json"), secretKey(t, "A", "one"))
	f := follow(t, root, "*.json")
	f.await(t, "A: one@a.json")
	f.kept = "A:"
	require.NoError(t, os.Rename(filepath.Join(root, "a.json"), filepath.Join(root, "b.json")))
	f.await(t, "A: one@b.json")
}

func TestRunFindsWhatAppearsBelowDirectoriesThatDidNotExist(t *testing.T) {
	root := t.TempDir()
	f := follow(t, root, "a/b/*/c/*.json", "d/e/f.json")
	f.await(t, "problem: a/b/*/c/*.json", "problem: d/e/f.json")
	write(t, in(root, "a/b/x/c/a.json"), secretKey(t, "A", "one"))
	f.await(t, "A: one@a/b/x/c/a.json", "problem: d/e/f.json")
	write(t, in(root, "d/e/f.json"), secretKey(t, "B", "one"))
	f.await(t, "A: one@a/b/x/c/a.json", "B: one@d/e/f.json")
	write(t, in(root, "a/b/y/c/c.json"), secretKey(t, "C", "one"))
	f.await(t, "A: one@a/b/x/c/a.json", "B: one@d/e/f.json", "C: one@a/b/y/c/c.json")
	require.NoError(t, os.RemoveAll(filepath.Join(root, "a")))
	f.await(t, "B: one@d/e/f.json", "problem: a/b/*/c/*.json")
	write(t, in(root, "a/b/x/c/a.json"), secretKey(t, "A", "two"))
	f.await(t, "A: two@a/b/x/c/a.json", "B: one@d/e/f.json")
}

func TestRunFollowsLinks(t *testing.T) {
	root := t.TempDir()
	key := func(dir, name, tenant, secret string) {
		t.Helper()
		write(t, filepath.Join(root, dir, name), secretKey(t, tenant, secret))
	}
	key("far/v1/keys", "a.json", "A", "one")
	setTime(t, in(root, "far/v1/keys/a.json"), time.Hour)
	key("far/v2/keys", "a.json", "A", "two")
	key("far/files", "b", "B", "one")
	link(t, "v1", in(root, "far/current"))
	link(t, "far/current/keys", filepath.Join(root, "keys"))
	require.NoError(t, os.Mkdir(filepath.Join(root, "near"), 0o755))
	link(t, "../far/files/b", in(root, "near/b.json"))
	f := follow(t, root, "keys/*.json", "near/b.json")
	f.await(t, "A: one@keys/a.json", "B: one@near/b.json")

	f.kept = "A:"
	// A link on the way of a link, then the first link, then a file behind a link.
	link(t, "v2", in(root, "far/current"))
	f.await(t, "A: two@keys/a.json", "B: one@near/b.json")
	link(t, "far/v1/keys", filepath.Join(root, "keys"))
	f.await(t, "A: one@keys/a.json", "B: one@near/b.json")
	key("far/files", "b", "B", "two")
	f.await(t, "A: one@keys/a.json", "B: two@near/b.json")
	link(t, "v2/keys/a.json", in(root, "far/b"))
	link(t, "../far/b", in(root, "near/b.json"))
	f.await(t, "A: two@near/b.json one@keys/a.json")
	require.NoError(t, os.Remove(in(root, "far/b")))
	f.await(t, "A: one@keys/a.json", "problem: near/b.json")
}

func TestRunFollowsADirectoryThatIsReplaced(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "keys")
	write(t, filepath.Join(dir, "a.json"), secretKey(t, "A", "one"))
	f := follow(t, root, "keys/*.json")
	f.await(t, "A: one@keys/a.json")
	for i := range 20 {
		secret := fmt.Sprintf("secret-%d", i)
		write(t, filepath.Join(root, "next", "a.json"), secretKey(t, "A", secret))
		require.NoError(t, os.Rename(dir, dir+".old"))
		require.NoError(t, os.Rename(filepath.Join(root, "next"), dir))
		require.NoError(t, os.RemoveAll(dir+".old"))
		f.await(t, "A: "+secret+"@keys/a.json")
	}
	write(t, filepath.Join(dir, "b.json"), secretKey(t, "B", "one"))
	f.await(t, "A: secret-19@keys/a.json", "B: one@keys/b.json")
}

func TestRunReportsOnlyWhatHasChanged(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a.json")
	write(t, path, secretKey(t, "A", "one"))
	f := follow(t, root, "*.json")
	f.await(t, "A: one@a.json")
	replace(t, path, secretKey(t, "A", "one"))
	require.NoError(t, os.Chmod(path, 0o600))
	write(t, filepath.Join(root, "other"), "noise")
	replace(t, path, secretKey(t, "A", "two"))
	require.Equal(t, []string{"A: two@a.json"}, f.next(t))
}

func TestRunLooksAgainAtDirectoriesThatAreNewlyWatched(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.json"), "{")
	w, _ := scanner(root, "*.json")
	looks := make(chan struct{}, 100)
	w.set.Load = func(string) ([]servicekey.Key, error) {
		looks <- struct{}{}
		return nil, errors.New("broken") // and so loaded at each look
	}
	w.set.Debounce = time.Millisecond
	f := &follower{root: root, reports: make(chan Snapshot, 10), watcher: w}
	f.run(t)
	require.Equal(t, []string{"problem: a.json"}, f.next(t))
	for range 2 {
		select {
		case <-looks:
		case <-time.After(patience):
			require.Fail(t, "what appeared before the directory was watched stays unseen")
		}
	}
}

func TestRunReportsWhatHasChangedSinceTheScan(t *testing.T) {
	root := t.TempDir()
	w, scan := scanner(root, "*.json")
	f := &follower{root: root, reports: make(chan Snapshot, 10), watcher: w}
	write(t, filepath.Join(root, "a.json"), secretKey(t, "A", "one"))
	require.Equal(t, []string{"A: one@a.json"}, scan())
	replace(t, filepath.Join(root, "b.json"), secretKey(t, "B", "one"))
	f.run(t)
	require.Equal(t, []string{"A: one@a.json", "B: one@b.json"}, f.next(t))
}

func TestRunLogsAProblemWhenItBeginsChangesAndEnds(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a.json")
	good, broken := filepath.Join(root, "b.json"), filepath.Join(root, "c.json")
	write(t, path, secretKey(t, "A", "canary"))
	f := follow(t, root, "*.json")
	f.await(t, "A: canary@a.json")

	replace(t, path, secretKey(t, "A", "canary")[:100])
	f.await(t, "A: canary@a.json", "problem: a.json")
	write(t, good, secretKey(t, "B", "canary")) // another look, with the same problem
	f.await(t, "A: canary@a.json", "B: canary@b.json", "problem: a.json")
	replace(t, path, `{"uaa":"canary","url":"`+apiURL+`"}`)
	f.await(t, "A: canary@a.json", "B: canary@b.json", "problem: a.json")
	replace(t, path, secretKey(t, "A", "canary"))
	f.await(t, "A: canary@a.json", "B: canary@b.json")
	replace(t, broken, "canary")
	f.await(t, "A: canary@a.json", "B: canary@b.json", "problem: c.json")
	require.NoError(t, os.Remove(broken))
	f.await(t, "A: canary@a.json", "B: canary@b.json")

	var lines []string
	for _, entry := range f.logs.All() {
		fields := entry.ContextMap()
		line := fmt.Sprintf("%s %s keys=%v %v", entry.Level, filepath.Base(fields["path"].(string)), fields["keys_in_use"], fields["error"])
		require.NotContains(t, line+entry.Message, "canary")
		if strings.Contains(line, "b.json") {
			continue // may have been seen half written
		}
		lines = append(lines, line)
	}
	require.Len(t, lines, 5)
	require.Equal(t, "warn a.json keys=1 the service key is not JSON: error at byte 100 of 100, where it is cut off; save the whole of it again", lines[0])
	require.Equal(t, "warn a.json keys=1 uaa in the service key is not a JSON object", lines[1])
	require.Equal(t, "info a.json keys=<nil> <nil>", lines[2])
	require.Equal(t, "warn c.json keys=0 the service key is not JSON: error at byte 1 of 6; give it as it was issued", lines[3])
	require.Equal(t, "info c.json keys=<nil> <nil>", lines[4])
}

func TestRunFollowsHundredsOfFilesAndLoadsTheChangedOnes(t *testing.T) {
	root := t.TempDir()
	const n = 500
	path := func(i int) string { return filepath.Join(root, fmt.Sprintf("%03d.json", i)) }
	want := make([]string, n)
	for i := range n {
		write(t, path(i), secretKey(t, fmt.Sprintf("tenant-%03d", i), "one"))
		want[i] = fmt.Sprintf("tenant-%03d: one@%03d.json", i, i)
	}
	w, scan := scanner(root, "*.json")
	loads := make(chan string, 10*n)
	w.set.Load = func(path string) ([]servicekey.Key, error) {
		loads <- path
		return servicekey.Load(path)
	}
	w.set.Debounce = time.Millisecond
	require.Equal(t, want, scan())
	f := &follower{root: root, reports: make(chan Snapshot, 10), watcher: w}
	f.run(t)

	replace(t, path(123), secretKey(t, "tenant-123", "two"))
	want[123] = "tenant-123: two@123.json"
	f.await(t, want...)
	require.Len(t, loads, n+1)
}
