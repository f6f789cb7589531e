// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// module has one test of each kind. What fails now and then fails every third time, counted over processes in a file.
var module = map[string]string{
	"go.mod": "module example.org/shaky\n\ngo 1.26\n",
	"shaky_test.go": `package shaky

import (
	"os"
	"syscall"
	"testing"
)

func TestSteady(t *testing.T) {}

func TestShaky(t *testing.T) {
	f, err := os.OpenFile(os.Getenv("SHAKY_COUNT"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, _ = f.WriteString("x")
	if info, _ := f.Stat(); info.Size()%3 == 0 {
		t.Fatal("the third time")
	}
}

func TestDeadly(t *testing.T) {
	if os.Getenv("SHAKY_DEADLY") != "" {
		panic("nobody is left")
	}
}

func TestLong(t *testing.T) {
	var used syscall.Rusage
	for used.Utime.Sec == 0 && used.Utime.Usec < 400_000 {
		for i := 0; i < 10_000_000; i++ {
		}
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			t.Fatal(err)
		}
	}
}
`,
	"quiet/quiet.go": "package quiet\n",
}

func shaky(t *testing.T) *settings {
	t.Helper()
	dir := t.TempDir()
	for name, content := range module {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	t.Setenv("SHAKY_COUNT", filepath.Join(t.TempDir(), "count"))
	t.Setenv("GOFLAGS", "-mod=mod")
	return &settings{
		packages: []string{"./..."}, folder: dir, tests: 30, short: 200 * time.Millisecond, each: 2, whole: 1, workers: 2, hogs: 1,
		file: filepath.Join(dir, "results", "flaky.jsonl"),
	}
}

func TestFlakyTestsAreFound(t *testing.T) {
	set := shaky(t)
	var table, progress bytes.Buffer
	require.ErrorIs(t, run(t.Context(), set, &table, &progress), errFailed)
	require.Regexp(t, `example.org/shaky.TestShaky +30 +1[01] +\S+ +shaky_test.go:\d+: the third time\n`, table.String())
	require.Regexp(t, `example.org/shaky.TestSteady +30 +0 +\S+ *\n`, table.String())
	require.Regexp(t, `example.org/shaky.TestLong +1 \(long: runs with its package\) +0 `, table.String())
	require.Regexp(t, `example.org/shaky +2 +\d `, table.String())
	require.Regexp(t, `everything +1 +\d `, table.String())
	require.NotContains(t, table.String(), "Not reached")
	require.FileExists(t, filepath.Join(filepath.Dir(set.file), "flaky-example.org_shaky.TestShaky.log"))

	// All that was found counts for the next run, and nothing is left to do.
	again, progress := table.String(), bytes.Buffer{}
	table.Reset()
	require.ErrorIs(t, run(t.Context(), set, &table, &progress), errFailed)
	require.Equal(t, again, table.String())

	// It counts no longer when the binary changes, nor when a file changes that the tests may read.
	set.names, set.each, set.whole = regexp.MustCompile("Steady"), 0, 0
	require.NoError(t, run(t.Context(), set, &table, &progress))
	require.Contains(t, progress.String(), "1 tests found")
	for _, change := range []string{"more_test.go", "testdata/more.txt"} {
		path := filepath.Join(set.folder, change)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("package shaky\nfunc init() { println() }\n"), 0o600))
		progress.Reset()
		require.NoError(t, run(t.Context(), set, &table, &progress))
		require.Contains(t, progress.String(), "; 0 results", change)
	}
}

func TestPanicIsAFailureOfItsTest(t *testing.T) {
	set := shaky(t)
	set.names, set.each, set.whole, set.tests = regexp.MustCompile("Deadly|Steady"), 0, 0, 3
	t.Setenv("SHAKY_DEADLY", "1")
	var table, progress bytes.Buffer
	require.ErrorIs(t, run(t.Context(), set, &table, &progress), errFailed)
	require.Regexp(t, `TestDeadly +3 +3 +\S+ +TestDeadly panic: nobody is left`, table.String())
	require.Regexp(t, `TestSteady +3 +0 `, table.String())
}

func TestWhatDoesNotBuildIsAnError(t *testing.T) {
	set := shaky(t)
	require.NoError(t, os.WriteFile(filepath.Join(set.folder, "bad_test.go"), []byte("package shaky\nfunc f() { g() }\n"), 0o600))
	var table, progress bytes.Buffer
	require.ErrorContains(t, run(t.Context(), set, &table, &progress), "undefined: g")
}

func TestTimeThatIsShortIsSpreadEvenly(t *testing.T) {
	set := &settings{tests: 200, short: time.Second, each: 20, whole: 5}
	p := newPlan(set, []*binary{{pkg: "a", hash: "a", tests: []string{"TestX", "TestY", "TestLong"}}, {pkg: "b", hash: "b", tests: []string{"TestZ"}}})
	for range 200 { // steps, of which each takes as long as the other
		u, times := p.next(time.Hour)
		if u == nil {
			break
		}
		work := 10 * time.Millisecond
		if u.test == "TestLong" {
			work = 2 * time.Second
		}
		p.done(u, result{Runs: times, Took: time.Duration(times) * work, Work: time.Duration(times) * work})
		least, most := 1.0, 0.0
		for _, u := range p.units {
			if !u.long {
				least, most = min(least, u.share()), max(most, u.share())
			}
		}
		require.LessOrEqual(t, most-least, 0.21)
	}
	for _, u := range p.units {
		require.Equal(t, u.test == "TestLong", u.long)
		require.True(t, u.finished())
		if !u.long {
			require.Equal(t, u.want, u.runs, u.name())
		}
	}
}

func TestWhatTakesLongerThanIsLeftIsNotBegun(t *testing.T) {
	p := newPlan(&settings{tests: 10, short: time.Second, each: 10}, []*binary{{pkg: "a", hash: "a", tests: []string{"TestX"}}})
	p.resume([]result{{ID: "a", Runs: 1, Took: time.Minute, Work: time.Minute}, {ID: "a TestX", Runs: 1, Took: time.Second}, {ID: "gone", Runs: 5}})
	require.Equal(t, 2, p.resumed)
	u, times := p.next(30 * time.Second)
	require.NotNil(t, u)
	require.Equal(t, "a.TestX", u.name())
	require.Equal(t, 1, times)
	u, _ = p.next(30 * time.Second)
	require.Nil(t, u)
	var table bytes.Buffer
	require.Zero(t, p.table(&table))
	require.Contains(t, table.String(), "Not reached: all runs of 2 of 2")
}

func TestSettings(t *testing.T) {
	env := map[string]string{"FLAKY_PACKAGES": "./a ./b/...", "FLAKY_MINUTES": "7", "FLAKY_TESTS": "3", "FLAKY_RACE": "0"}
	set, err := settingsFrom(func(name string) string { return env[name] })
	require.NoError(t, err)
	require.Equal(t, []string{"./a", "./b/..."}, set.packages)
	require.Equal(t, 7*time.Minute, set.budget)
	require.Equal(t, 3, set.tests)
	require.Equal(t, 20, set.each)
	require.Zero(t, set.whole, "some packages are not the whole")
	require.False(t, set.race)

	set, err = settingsFrom(func(string) string { return "" })
	require.NoError(t, err)
	require.Equal(t, []string{"./..."}, set.packages)
	require.Equal(t, 5, set.whole)
	require.True(t, set.race)

	for name, value := range map[string]string{"FLAKY_TESTS": "many", "FLAKY_EACH": "-1", "FLAKY_RUN": "("} {
		_, err := settingsFrom(func(n string) string {
			if n == name {
				return value
			}
			return ""
		})
		require.ErrorContains(t, err, name)
	}
}

func TestResultThatWasCutCountsForNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaky.jsonl")
	r, err := openResults(path)
	require.NoError(t, err)
	require.NoError(t, r.add(result{ID: "a", Runs: 1}))
	_, err = r.file.WriteString("\n" + `{"id":"b","ru`)
	require.NoError(t, err)
	require.NoError(t, r.add(result{ID: "c", Runs: 2}))
	require.NoError(t, r.close())
	r, err = openResults(path)
	require.NoError(t, err)
	require.NoError(t, r.close())
	require.Equal(t, []result{{ID: "a", Runs: 1}, {ID: "c", Runs: 2}}, r.earlier)
}

func TestHogsEnd(t *testing.T) {
	end := hog(3)
	end()
	end()
	stacks := make([]byte, 1<<20)
	require.NotContains(t, string(stacks[:runtime.Stack(stacks, true)]), "main.hog.func")
}
