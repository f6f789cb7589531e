// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package otlplines

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// batch is a line as the exporter writes it, with a record whose text contains what batches begin with.
func batch(t *testing.T, name string) string {
	t.Helper()
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetEventName(name)
	record.Body().SetStr("a\nline {\"resourceLogs\":[]}")
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return string(text)
}

// sink is a file and its follower.
type sink struct {
	t    *testing.T
	path string
	*Follower
}

func newSink(t *testing.T) *sink {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.jsonl")
	s := &sink{t, path, Follow(path)}
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// begin begins anew.
func (s *sink) begin() {
	s.t.Helper()
	require.NoError(s.t, s.Close())
	require.NoError(s.t, os.RemoveAll(s.path))
	s.Follower = Follow(s.path)
}

func (s *sink) write(text string) {
	s.t.Helper()
	file, err := os.OpenFile(s.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(s.t, err)
	_, err = file.WriteString(text)
	require.NoError(s.t, err)
	require.NoError(s.t, file.Close())
}

// rotate does what the exporter does when the file is large enough.
func (s *sink) rotate(stamp string) {
	s.t.Helper()
	require.NoError(s.t, os.Rename(s.path, strings.TrimSuffix(s.path, ".jsonl")+"-"+stamp+"-size.jsonl"))
}

// names polls and gives the event names of what came.
func (s *sink) names() []string {
	s.t.Helper()
	var out []string
	require.NoError(s.t, s.Poll(func(logs plog.Logs) {
		out = append(out, logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).EventName())
	}))
	return out
}

func TestBatchesComeOnceAsTheyAreWritten(t *testing.T) {
	s := newSink(t)
	require.Empty(t, s.names(), "there is no file yet")
	s.write(batch(t, "a") + "\n" + batch(t, "b") + "\n")
	require.Equal(t, []string{"a", "b"}, s.names())
	require.Empty(t, s.names())
	long := batch(t, "c")
	s.write(long[:40])
	require.Empty(t, s.names(), "half a batch")
	s.write(long[40:])
	require.Equal(t, []string{"c"}, s.names(), "a batch whose line has not ended")
	s.write("\n" + batch(t, "d") + "\n")
	require.Equal(t, []string{"d"}, s.names())
	require.Zero(t, s.Torn())
}

func TestBatchesLargerThanOneRead(t *testing.T) {
	s := newSink(t)
	large := strings.Replace(batch(t, "a"), "a\\nline", strings.Repeat("long ", readSize/2), 1)
	s.write(large + "\n" + batch(t, "b") + "\n" + large)
	require.Equal(t, []string{"a", "b", "a"}, s.names())
}

func TestAKillAtAnyByteCostsAtMostItsOwnBatch(t *testing.T) {
	first := batch(t, "killed")
	s := newSink(t)
	for cut := range len(first) + 1 {
		for _, looked := range []bool{false, true} {
			s.begin()
			s.write(batch(t, "before") + "\n" + first[:cut])
			var got []string
			if looked {
				got = s.names()
			}
			s.write(batch(t, "after") + "\n")
			got = append(got, s.names()...)
			want := []string{"before", "after"}
			if cut == len(first) {
				want = []string{"before", "killed", "after"}
			}
			require.Equal(t, want, got, "cut at %d", cut)
			wantTorn := 0
			if cut > 0 && cut < len(first) {
				wantTorn = 1
			}
			require.Equal(t, wantTorn, s.Torn(), "cut at %d", cut)
		}
	}
}

func TestSeveralKillsInOneLine(t *testing.T) {
	s := newSink(t)
	a := batch(t, "a")
	s.write(a[:9] + a[:60] + a + a[:1] + batch(t, "b") + "\n")
	require.Equal(t, []string{"a", "b"}, s.names())
	require.Equal(t, 2, s.Torn(), "what is shorter than the beginning of a batch goes unnoticed behind a whole one")
}

func TestALineThatIsNoOTLPIsAnError(t *testing.T) {
	for _, text := range []string{"hello\n", `{"resourceLogs":[{]}` + "\n", batch(t, "a")[:50] + "\n"} {
		s := newSink(t)
		s.write(text)
		require.ErrorContains(t, s.Poll(func(plog.Logs) {}), "events.jsonl")
	}
}

func TestRotatedFilesAreReadInTheirOrder(t *testing.T) {
	s := newSink(t)
	s.write(batch(t, "a") + "\n")
	require.Equal(t, []string{"a"}, s.names())
	s.write(batch(t, "b") + "\n")
	s.rotate("2026-10-01T10-00-00.000")
	require.Equal(t, []string{"b"}, s.names(), "the new file does not exist yet")
	s.write(batch(t, "c") + "\n")
	require.Equal(t, []string{"c"}, s.names())
	// A reader that was slow finds several.
	s.write(batch(t, "d") + "\n" + batch(t, "torn")[:30])
	s.rotate("2026-10-01T10-00-01.000")
	s.write(batch(t, "e") + "\n")
	s.rotate("2026-10-01T10-00-02.000")
	s.write(batch(t, "f") + "\n")
	require.Equal(t, []string{"d", "e", "f"}, s.names())
	require.Equal(t, 1, s.Torn())
}

func TestReadingBeginsWithTheOldestFile(t *testing.T) {
	s := newSink(t)
	for _, name := range []string{"a", "b"} {
		s.write(batch(t, name) + "\n")
		s.rotate("2026-10-01T10-00-00.00" + name)
	}
	s.write(batch(t, "c") + "\n")
	require.Equal(t, []string{"a", "b", "c"}, s.names())
}

func TestARemovedFileIsAnError(t *testing.T) {
	s := newSink(t)
	s.write(batch(t, "a") + "\n")
	require.Equal(t, []string{"a"}, s.names())
	require.NoError(t, os.Remove(s.path))
	s.write(batch(t, "b") + "\n")
	require.ErrorIs(t, s.Poll(func(plog.Logs) {}), errRemoved)
}
