// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
)

// The receivers.
const (
	saas = "saas_security"
	sap  = "sap_btp_audit"
)

// patience is how long something may take that takes a fraction of a second on an idle machine.
const patience = 10 * time.Minute

// world is what outlives the processes: the simulated service, the disk, and what the sink has.
type world struct {
	t       *testing.T
	dir     string
	gate    *gate
	url     string
	config  map[string]any // of the receiver
	storage map[string]any // of file_storage
	lives   int
	kills   int
	doubt   int // reads that the starts counted, because the life before may have had them open
}

func newWorld(t *testing.T, service http.Handler, config map[string]any) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), gate: &gate{next: service}, config: map[string]any{"storage": crashtest.StorageID.String()}}
	server := httptest.NewUnstartedServer(w.gate)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	w.url = server.URL
	w.config["endpoint"] = w.url
	maps.Copy(w.config, config)
	return w
}

// process is a life that was begun.
type process struct {
	*program.Process

	world *world
	log   string
}

// begin starts a life. If the server is to kill it, at says when.
func (w *world) begin(l life, at *request) *process {
	w.t.Helper()
	l.Config, l.Storage, l.Dir = w.config, w.storage, w.dir
	text, err := json.Marshal(l)
	require.NoError(w.t, err)
	w.lives++
	p := &process{world: w, log: filepath.Join(w.dir, fmt.Sprintf("life-%d.log", w.lives))}
	output, err := os.Create(p.log)
	require.NoError(w.t, err)
	defer output.Close()
	running := make(chan struct{})
	w.gate.arm(at, func() {
		<-running
		p.Kill()
	})
	defer close(running)
	// The race detector's runtime waits a second at the end of each process unless told not to.
	env := []string{lifeVariable + "=" + string(text), "GORACE=atexit_sleep_ms=0"}
	p.Process, err = program.Start(program.Spec{Path: os.Args[0], Env: env, Output: output})
	require.NoError(w.t, err)
	w.t.Cleanup(p.Kill)
	return p
}

// wait lasts until the life has ended, however that was.
func (p *process) wait() {
	p.world.t.Helper()
	select {
	case <-p.Done():
	case <-time.After(patience):
		require.Fail(p.world.t, "a life does not end", p.lastWords())
	}
}

// end waits for the end of a life and tells whether it was killed. A life that ends by itself must end well.
func (p *process) end() (killed bool) {
	p.world.t.Helper()
	p.wait()
	counted := p.world.count(p.log)
	p.world.doubt += counted
	if p.Signaled() {
		p.world.kills++
		return true
	}
	require.NoError(p.world.t, p.Err(), p.lastWords())
	last := p.world.report()
	require.Equal(p.world.t, counted, last.Doubt, "reads in doubt, as logged and as metric:\n%s", p.lastWords())
	require.Zero(p.world.t, last.Unsaved, "reads that Shutdown gave up:\n%s", p.lastWords())
	return false
}

// live lives a life and tells whether it was killed.
func (w *world) live(l life, at *request) (killed bool) {
	w.t.Helper()
	return w.begin(l, at).end()
}

// fails begins a life while another one has the files, which must end at once without harm to either.
func (w *world) fails(l life) {
	w.t.Helper()
	p := w.begin(l, nil)
	p.wait()
	require.False(w.t, p.Signaled())
	require.Error(w.t, p.Err())
	require.Contains(w.t, p.lastWords(), "another instance of this receiver")
}

// terminate asks the process to end in its own way, and returns when it has begun to.
func (p *process) terminate() {
	p.world.t.Helper()
	self, err := os.FindProcess(p.PID())
	require.NoError(p.world.t, err)
	if err := self.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) { // a kill may have been quicker
		require.NoError(p.world.t, err)
	}
	p.world.await("the process begins to stop", func() bool {
		return !p.Running() || strings.Contains(p.lastWords(), `"msg":"`+stopping+`"`)
	})
}

func (p *process) lastWords() string { return strings.Join(program.LastLines(p.log, 8), "\n") }

// await waits for what other processes bring about.
func (w *world) await(what string, condition func() bool) {
	w.t.Helper()
	require.Eventually(w.t, condition, patience, 5*time.Millisecond, what)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) report() report {
	w.t.Helper()
	text, err := os.ReadFile(w.path(reportFile))
	require.NoError(w.t, err)
	var r report
	require.NoError(w.t, json.Unmarshal(text, &r))
	return r
}

// count adds up the reads that a life has counted as in doubt. Its metric is gone if it was killed; the line beside it is not.
func (w *world) count(path string) int {
	w.t.Helper()
	file, err := os.Open(path)
	require.NoError(w.t, err)
	defer file.Close()
	total := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Message string `json:"msg"`
			Reads   int    `json:"reads"`
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && strings.Contains(line.Message, "ended without a shutdown") {
			total += line.Reads
		}
	}
	return total
}
