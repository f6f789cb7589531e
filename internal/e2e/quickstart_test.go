// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
)

// output is what a program has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// quickstart runs what make run runs.
func quickstart(t *testing.T, dir string, args ...string) (*program.Process, *output) {
	t.Helper()
	out := &output{}
	p, err := program.Start(program.Spec{Path: distribution.Program(t, "quickstart"), Output: out, Args: append([]string{
		"-collector", distribution.Program(t, "otelcol-audit"), "-simulator", distribution.Program(t, "simulator"), "-dir", dir,
		"-config", quickstartConfig(),
	}, args...)})
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p, out
}

var collectorPID = regexp.MustCompile(`kill -9 (\d+)`)

func TestQuickstartEndsWithAVerdictEvenAfterAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, out := quickstart(t, dir, "-run-for", "6s")
	var match []string
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, "events.jsonl"))
		match = collectorPID.FindStringSubmatch(out.String())
		return err == nil && match != nil
	}, 2*time.Minute, 10*time.Millisecond, out)
	pid, err := strconv.Atoi(match[1])
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.NoError(t, p.Err(), out)
	require.Contains(t, out.String(), "collector killed once:")
	require.Contains(t, out.String(), "✓ nothing is missing")
	require.Regexp(t, `sap-btp-audit: 10,\d\d\d of 10,\d\d\d events`, out.String())
	require.Regexp(t, `saas-security: 2,\d\d\d of 2,\d\d\d events`, out.String())
}

func TestQuickstartEndsOnCtrlC(t *testing.T) {
	t.Parallel()
	p, out := quickstart(t, t.TempDir())
	var match []string
	require.Eventually(t, func() bool {
		match = collectorPID.FindStringSubmatch(out.String())
		return match != nil
	}, 2*time.Minute, 10*time.Millisecond, out)
	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGINT))
	require.NoError(t, p.Err(), out)
	pid, err := strconv.Atoi(match[1])
	require.NoError(t, err)
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "the collector is still there")
}

func TestQuickstartSaysWhyItCannotStart(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte("receivers: {sap_btp_adit: {}}"), 0o600))
	p, out := quickstart(t, t.TempDir(), "-config", config, "-run-for", "20s")
	require.Error(t, p.Err())
	require.False(t, p.Signaled())
	require.Contains(t, out.String(), "the collector ended by itself")
	require.Contains(t, out.String(), "sap_btp_adit", "the collector's own words")
}
