// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
)

// drainVariable makes this test binary a process that drains the spool in the named directory: the library behind
// file_storage answers damage with panics in goroutines of its own and with wild reads, which nobody can recover from.
const drainVariable = "SPOOL_DRAIN"

// drained is what came of it. Without it the process ended with an error.
type drained struct {
	Bodies          []int
	Corrupt, Unread int
	Lost, Missing   int
	Repaired        int
	Error           string
}

// noticed tells whether somebody is told of damage.
func (d *drained) noticed() bool {
	return d.Corrupt+d.Unread+d.Lost+d.Missing+d.Repaired > 0 || d.Error != ""
}

// without counts the entries that did not come.
func (d *drained) without(want map[int]bool) int {
	left := maps.Clone(want)
	for _, n := range d.Bodies {
		delete(left, n)
	}
	return len(left)
}

func fileSettings(dir string) (Settings, func(), error) {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.CreateDirectory = dir, true
	ctx := context.Background()
	created, err := factory.Create(ctx, extensiontest.NewNopSettings(factory.Type()), cfg)
	if err != nil {
		return Settings{}, nil, err
	}
	ext := created.(storage.Extension)
	open := func(ctx context.Context, name string) (storage.Client, error) {
		return durable.Guard(func() (storage.Client, error) {
			return ext.GetClient(ctx, component.KindReceiver, component.MustNewID("spooled"), name)
		})
	}
	root, err := open(ctx, "")
	if err != nil {
		return Settings{}, nil, err
	}
	return Settings{
		Root: root, OpenClient: open, MaxBytes: 64 << 20, SegmentBytes: 256 << 10, Logger: zap.NewNop(),
	}, func() { _ = root.Close(ctx) }, nil
}

// drainFiles is the life of the process.
func drainFiles(dir string) (d drained) {
	set, done, err := fileSettings(dir)
	if err != nil {
		return drained{Error: err.Error()}
	}
	defer done()
	ctx := context.Background()
	s, err := Open(ctx, set)
	if err != nil {
		return drained{Error: err.Error()}
	}
	defer s.Close(ctx)
	defer func() {
		st := s.Stats()
		d.Lost, d.Missing, d.Repaired, d.Unread = st.Lost, st.Missing, st.Repaired, len(st.Unreadable)
	}()
	// New entries must not harm old ones.
	for range 3 {
		if _, err := tryCommit(ctx, s, "-1"); err != nil {
			d.Error = err.Error()
		}
	}
	for s.Stats().Entries > 0 {
		e, err := s.Next(ctx)
		if err == nil {
			if e.Err != nil {
				d.Corrupt++
			} else {
				var n int
				_, _ = fmt.Sscanf(string(e.Body), "%d", &n)
				d.Bodies = append(d.Bodies, n)
			}
			err = s.Delete(ctx, e)
		}
		if err != nil {
			d.Error = err.Error()
			break
		}
	}
	return d
}

func TestFlippedByteOfAFileIsNeverASilentLoss(t *testing.T) {
	const entries = 400
	whole := t.TempDir()
	set, done, err := fileSettings(whole)
	require.NoError(t, err)
	s, err := Open(t.Context(), set)
	require.NoError(t, err)
	want := map[int]bool{}
	for n := range entries {
		commit(t, s, fmt.Sprintf("%d %s", n, strings.Repeat("x", 100+n*7%3000)))
		want[n] = true
	}
	for n := range entries / 10 { // some were delivered, one waits
		e, err := s.Next(t.Context())
		require.NoError(t, err)
		if n == 3 {
			continue
		}
		require.NoError(t, s.Delete(t.Context(), e))
		delete(want, n)
	}
	require.NoError(t, s.Close(t.Context()))
	done()

	var mu sync.Mutex
	outcomes := map[string]int{}
	t.Run("in", func(t *testing.T) {
		for _, name := range []string{"receiver_spooled_", "receiver_spooled__spool_0", "receiver_spooled__spool_1"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // the processes wait for the disk for the most part
				content, err := os.ReadFile(filepath.Join(whole, name))
				require.NoError(t, err)
				random := rand.New(rand.NewPCG(3, 4))
				for _, at := range offsets(random, content, 15) {
					dir := t.TempDir()
					require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
					damagedFile := append([]byte{}, content...)
					damagedFile[at] ^= 1 << random.IntN(8)
					require.NoError(t, os.WriteFile(filepath.Join(dir, name), damagedFile, 0o600))
					outcome, d := drainInChild(t, dir)
					if left := d.without(want); left > 0 && outcome == "" {
						require.True(t, d.noticed(), "byte %d: %d entries vanished", at, left)
						outcome = "noticed"
					}
					mu.Lock()
					outcomes[outcome]++
					mu.Unlock()
				}
			})
		}
	})
	t.Log(outcomes)
	require.Positive(t, outcomes[""])
	require.Positive(t, outcomes["noticed"])
}

// offsets samples a file: the structure at the beginning of its pages, where damage does the most, and anywhere.
func offsets(random *rand.Rand, content []byte, n int) []int {
	page := os.Getpagesize()
	var at []int
	for range n {
		start := random.IntN(len(content)/page) * page
		at = append(at, start+random.IntN(160), start+10, random.IntN(len(content))) // 10 is how much there is in a page
	}
	for start := 0; start < 2*page; start += page { // what a file begins with
		for i := 0; i < 80; i += 8 {
			at = append(at, start+i)
		}
	}
	return at
}

// drainTime is the processor's time that a process may need, many times what it does: how busy the machine is does not matter.
const drainTime = 2 // s; more would also be more memory, as the library collects the pages it counts

// drainInTime is drainFiles in a process that says where it is and ends when it has worked for longer than drainTime.
func drainInTime(dir string) drained {
	tooLong := make(chan os.Signal, 1)
	signal.Notify(tooLong, syscall.SIGXCPU)
	go func() {
		<-tooLong
		stacks := make([]byte, 1<<20)
		_, _ = os.Stderr.Write(stacks[:runtime.Stack(stacks, true)])
		os.Exit(drainStuck)
	}()
	if err := syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: drainTime, Max: 10 * drainTime}); err != nil {
		return drained{Error: err.Error()}
	}
	return drainFiles(dir)
}

// drainStuck is the exit code of such a process.
const drainStuck = 111

// drainInChild returns how the process ended, "" if it did in its own way.
func drainInChild(t *testing.T, dir string) (string, drained) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // for one that neither works nor ends
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.WaitDelay = time.Minute
	// The race detector's runtime waits a second at the end of each process unless told not to.
	child.Env = append(os.Environ(), drainVariable+"="+dir, "GORACE=atexit_sleep_ms=0")
	var stderr strings.Builder
	child.Stderr = &stderr
	out, err := child.Output()
	require.NoError(t, ctx.Err(), "the process hangs")
	var d drained
	if err == nil {
		require.NoError(t, json.Unmarshal(out, &d))
		return "", d
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	if exit.ExitCode() == drainStuck {
		require.Contains(t, stderr.String(), "go.etcd.io/bbolt.(*DB).freepages", "the process works and works")
		return "stuck", d // in the library, before it gave anything: it counts some thousand million pages
	}
	require.NotEmpty(t, stderr.String(), "a process that ends says why")
	return "crash", d
}
