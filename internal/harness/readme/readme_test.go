// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a test that notes how it fails.
type recorder struct {
	testing.TB

	failure string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { r.failure += fmt.Sprintf(format, args...) }

func (*recorder) FailNow() { runtime.Goexit() }

// failure is what a check says when it fails, "" if it passes.
func failure(t *testing.T, check func(*recorder)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(r)
	}()
	<-done
	return r.failure
}

type options struct {
	Endpoint string   `mapstructure:"endpoint"`
	Timeout  string   `mapstructure:"timeout,omitempty"`
	Inlined  struct{} `mapstructure:",squash"`
	Untagged int
}

const (
	text = "# Some receiver\n" +
		"It has `endpoint` and `timeout`.\n" +
		"| `otelcol_reads` | how many |\n" +
		"## Troubleshooting\n" +
		"| `token expired` | set `no_such_option` |\n" +
		"It may log `gone`.\n" +
		"## More\n" +
		"`not a message`\n"
	metadata = "telemetry: {metrics: {reads: {}}}"
	sources  = `errors.New("token expired"); log("gone for ever")`
)

func TestChecksFailForWhatIsNotSaid(t *testing.T) {
	for name, tt := range map[string]struct {
		check func(*recorder)
		want  string // "" passes
	}{
		"names":            {func(r *recorder) { RequireNamed(r, text, "endpoint", "gone") }, ""},
		"name not there":   {func(r *recorder) { RequireNamed(r, text, "endpoint", "storage") }, "`storage`"},
		"name not as code": {func(r *recorder) { RequireNamed(r, text, "receiver") }, "`receiver`"},
		"options":          {func(r *recorder) { RequireOptions(r, text, reflect.TypeFor[options]()) }, ""},
		"option not there": {func(r *recorder) { RequireOptions(r, "`endpoint`", reflect.TypeFor[options]()) }, "`timeout`"},
		"metrics":          {func(r *recorder) { RequireMetrics(r, text, metadata) }, ""},
		"metric not there": {func(r *recorder) { RequireMetrics(r, text, "telemetry: {metrics: {writes: {}}}") }, "`otelcol_writes`"},
		"metric not in a table": {
			func(r *recorder) { RequireMetrics(r, "`otelcol_reads`", metadata) }, "`otelcol_reads`",
		},
		"no metrics":          {func(r *recorder) { RequireMetrics(r, text, "telemetry: {}") }, "Should NOT be empty"},
		"no metadata":         {func(r *recorder) { RequireMetrics(r, text, "{") }, "yaml"},
		"messages":            {func(r *recorder) { RequireMessages(r, text, sources, 2) }, ""},
		"message not printed": {func(r *recorder) { RequireMessages(r, text, `"gone"`, 2) }, "token expired"},
		"message of a sentence not printed": {
			func(r *recorder) { RequireMessages(r, text, `"token expired"`, 2) }, "gone",
		},
		"too few messages":   {func(r *recorder) { RequireMessages(r, text, sources, 3) }, "messages that are explained"},
		"no troubleshooting": {func(r *recorder) { RequireMessages(r, "`gone`", sources, 0) }, "section Troubleshooting"},
		"no file":            {func(r *recorder) { Read(r, "no such file") }, "no such file"},
		"no folder":          {func(r *recorder) { Sources(r, "no such folder") }, "no such folder"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.want == "" {
				require.Empty(t, failure(t, tt.check))
				return
			}
			require.Contains(t, failure(t, tt.check), tt.want)
		})
	}
}

func TestYAMLBlocksAreFoundAndNoOthers(t *testing.T) {
	require.Equal(t, []string{"a: 1\nb: 2\n", "c: 3\n"},
		YAMLBlocks("x\n```yaml\na: 1\nb: 2\n```\n```sh\nmake\n```\n```yaml\nc: 3\n```\n"))
}

func TestSourcesAreThoseOfTheProgram(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{
		"one/a.go", "one/a_test.go", "one/notes.md", "one/deep/b.go", "two/c.go",
		"one/cmd/x.go", "one/crashtest/x.go", "one/harness/x.go", "one/simulator/x.go", "one/testdata/x.go",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(name+";"), 0o600))
	}
	require.Equal(t, "one/a.go;one/deep/b.go;two/c.go;", Sources(t, filepath.Join(root, "one"), filepath.Join(root, "two")))
}
