// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// program is a running simulator.
type program struct {
	t     *testing.T
	lines []string // what it said until it was ready
	end   func() error
}

func launch(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, args, write)
		_ = write.CloseWithError(err)
		done <- err
	}()
	p := &program{t: t, end: func() error { cancel(); return <-done }}
	t.Cleanup(cancel)
	scanner := bufio.NewScanner(read)
	for scanner.Scan() && scanner.Text() != "ready" {
		p.lines = append(p.lines, scanner.Text())
	}
	require.NoError(t, scanner.Err())
	return p
}

// get asks one of the simulator's pages.
func (p *program) get(base, path string) []byte {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, base+path, http.NoBody)
	require.NoError(p.t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(p.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, resp.Body.Close())
	return body
}

type serviceKey struct {
	URL string `json:"url"`
	UAA struct {
		URL     string `json:"url"`
		CertURL string `json:"certurl"`
		Key     string `json:"key"`
	} `json:"uaa"`
}

func readKey(t *testing.T, path string) serviceKey {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var key serviceKey
	require.NoError(t, json.Unmarshal(raw, &key))
	return key
}

func TestTheProgramServesAndContinues(t *testing.T) {
	dir := t.TempDir()
	keyFile, ledger := filepath.Join(dir, "key.json"), filepath.Join(dir, "ledger.ndjson")
	args := []string{"-subaccounts", "2", "-backfill", "301", "-late", "", "-rate", "0", "-ledger", ledger, "-service-key-file", keyFile}
	p := launch(t, args...)
	key := readKey(t, keyFile)
	require.Equal(t, key.URL, key.UAA.URL)
	var summary struct {
		Records  int `json:"records"`
		Accounts []struct {
			Records int `json:"records"`
		} `json:"subaccounts"`
	}
	require.NoError(t, json.Unmarshal(p.get(key.URL, "/_sim/ledger"), &summary))
	require.Equal(t, 301, summary.Records)
	require.Equal(t, 151, summary.Accounts[0].Records)
	before := string(p.get(key.URL, "/_sim/records"))
	require.Equal(t, 301, strings.Count(before, "\n"))
	require.NoError(t, p.end())

	p = launch(t, args...)
	require.Equal(t, "sap: continuing with 301 records", p.lines[0])
	require.Equal(t, before, string(p.get(readKey(t, keyFile).URL, "/_sim/records")))
	require.NoError(t, p.end())
}

func TestServiceKeysForCertificates(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, "-subaccounts", "3", "-tls", "-mtls", "-service-key-dir", filepath.Join(dir, "keys"), "-ca-file", filepath.Join(dir, "ca.pem"))
	files, err := filepath.Glob(filepath.Join(dir, "keys", "*"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, f := range files {
		key := readKey(t, f)
		require.NotEmpty(t, key.UAA.Key)
		require.Contains(t, key.URL, "https://")
		require.NotEqual(t, key.UAA.URL, key.UAA.CertURL)
		info, failed := os.Stat(f)
		require.NoError(t, failed)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	require.NoError(t, err)
	require.Contains(t, string(ca), "BEGIN CERTIFICATE")
	require.NoError(t, p.end())
}

func TestFaultsComeFromPresetsOrAFile(t *testing.T) {
	rules, err := faults("503, reset")
	require.NoError(t, err)
	require.Len(t, rules, 2)
	path := filepath.Join(t.TempDir(), "script.json")
	require.NoError(t, os.WriteFile(path, []byte(`[{"fault":{"kind":"html"}}]`), 0o600))
	rules, err = faults(path)
	require.NoError(t, err)
	require.Len(t, rules, 1)
}

func TestWrongFlagsEndTheProgram(t *testing.T) {
	dir := t.TempDir()
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"fault":       {[]string{"-fault", "dance"}, "dance"},
		"lateness":    {[]string{"-late", "soon"}, "lateness"},
		"address":     {[]string{"-listen", "127.0.0.1:x"}, "unknown port"},
		"argument":    {[]string{"go"}, "go"},
		"unknown":     {[]string{"-dance"}, "dance"},
		"nobody":      {[]string{"-subaccounts", "0"}, "-subaccounts"},
		"negative":    {[]string{"-backfill", "-5"}, "-backfill"},
		"future":      {[]string{"-backfill-days", "-1"}, "-backfill-days"},
		"backwards":   {[]string{"-rate", "-1"}, "-rate"},
		"no service":  {[]string{"-saas-faults", "mix=0.1"}, "-saas-listen"},
		"SaaS rate":   {[]string{"-saas-listen", "127.0.0.1:0", "-saas-rate", "-1"}, "-saas-rate"},
		"SaaS events": {[]string{"-saas-listen", "127.0.0.1:0", "-saas-backlog", "-1"}, "-saas-backlog"},
		"ledger":      {[]string{"-ledger", dir}, "directory"},
		"service key": {[]string{"-service-key-file", filepath.Join(dir, "no", "key.json")}, "key.json"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, run(t.Context(), tc.args, io.Discard), tc.want)
		})
	}
	require.ErrorIs(t, run(t.Context(), []string{"-help"}, io.Discard), flag.ErrHelp)
}
