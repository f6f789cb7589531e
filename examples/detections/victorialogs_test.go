// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package detections

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
)

const (
	victoriaLogs = "_build/victoria-logs"
	// patience is how long something may take. It is long because the machine may be busy.
	patience = 10 * time.Minute
	glance   = 100 * time.Millisecond
)

// database is a VictoriaLogs of the test's own.
type database struct {
	url     string
	running *started
}

func startDatabase(t *testing.T, dir string) *database {
	t.Helper()
	path := filepath.Join(distribution.Root(), victoriaLogs)
	if _, err := os.Stat(path); err != nil {
		// make test has built it; elsewhere it is built if it is absent.
		cmd := exec.CommandContext(t.Context(), "make", victoriaLogs)
		cmd.Dir = distribution.Root()
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, string(said))
	}
	ports, err := program.FreePorts(1)
	require.NoError(t, err)
	address := "127.0.0.1:" + strconv.Itoa(ports[0])
	running := start(t, path, filepath.Join(dir, "victoria-logs.log"), nil,
		"-storageDataPath="+filepath.Join(dir, "victoria-logs"), "-httpListenAddr="+address, "-retentionPeriod=100d", "-inmemoryDataFlushInterval=1s")
	d := &database{url: "http://" + address, running: running}
	await(t, running, "VictoriaLogs answers", func(ctx context.Context) bool {
		_, err := d.get(ctx, "/health", nil)
		return err == nil
	})
	return d
}

// started is a program with the file that it writes its log to.
type started struct {
	*program.Process

	log string
}

func start(t *testing.T, path, log string, env []string, args ...string) *started {
	t.Helper()
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	running, err := program.Start(program.Spec{Path: path, Args: args, Env: env, Output: file})
	require.NoError(t, err)
	t.Cleanup(func() {
		running.Kill()
		require.NoError(t, file.Close())
	})
	return &started{running, log}
}

// await asks again and again until something holds, and fails when the program has ended or patience has.
func await(t *testing.T, running *started, what string, holds func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(glance)
	defer again.Stop()
	for !holds(ctx) {
		select {
		case <-again.C:
			continue
		case <-running.Done():
		case <-ctx.Done():
		}
		require.Fail(t, "this did not come true: "+what, strings.Join(program.LastLines(running.log, 20), "\n"))
	}
}

func (d *database) get(ctx context.Context, path string, values url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return body, err
}

// event is one log record with all its fields.
type event map[string]string

func (e event) key() string { return e["log.record.uid"] + " " + e["_msg"] }

// all is everything that the database holds, once it shows all that it has taken.
func (d *database) all(t *testing.T) (found []event) {
	t.Helper()
	await(t, d.running, "VictoriaLogs shows what it counts", func(ctx context.Context) bool {
		_, err := d.get(ctx, "/internal/force_flush", nil)
		require.NoError(t, err)
		body, err := d.get(ctx, "/select/logsql/query", url.Values{"query": {"*"}})
		require.NoError(t, err)
		found = found[:0]
		for line := range strings.Lines(string(body)) {
			e := event{}
			require.NoError(t, json.Unmarshal([]byte(line), &e), line)
			found = append(found, e)
		}
		return len(found) == d.count(ctx, "*")
	})
	return found
}

// keys is what a filter finds at a moment.
func (d *database) keys(t *testing.T, filter string, at time.Time) map[string]bool {
	t.Helper()
	rows, err := d.rows(t.Context(), filter+" | stats by (log.record.uid, _msg) count() n", at)
	require.NoError(t, err, filter)
	keys := map[string]bool{}
	for _, r := range rows {
		keys[event(r).key()] = true
	}
	return keys
}

// rows is what a whole query gives at a moment, in the way in which vmalert asks.
func (d *database) rows(ctx context.Context, query string, at time.Time) ([]row, error) {
	body, err := d.get(ctx, "/select/logsql/stats_query", url.Values{"query": {query}, "time": {moment(at)}})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Value  [2]any            `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	var rows []row
	for _, result := range answer.Data.Result {
		r := row{}
		for label, value := range result.Metric {
			if label == "__name__" {
				r[value] = fmt.Sprint(result.Value[1])
			} else {
				r[label] = value
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (d *database) count(ctx context.Context, filter string) int {
	rows, err := d.rows(ctx, filter+" | stats count() n", time.Now().Add(time.Minute))
	if err != nil || len(rows) != 1 {
		return 0
	}
	n, _ := strconv.Atoi(rows[0]["n"]) // the database writes numbers
	return n
}

func moment(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// filterOf is the part of a query that finds events: up to the first pipe that is in no brackets and no quotes.
func filterOf(query string) string {
	depth, quote := 0, rune(0)
	escaped := false
	for i, c := range query {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && c == '\\' && quote != '`':
			escaped = true
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			return query[:i]
		}
	}
	return query
}
