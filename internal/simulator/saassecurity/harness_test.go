// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// bubble runs a test on a simulator within a synctest bubble.
func bubble(t *testing.T, opts Options, test func(*testing.T, *Simulator, *client)) {
	t.Helper()
	virtualtime.Test(t, func(t *testing.T) {
		sim := New(opts)
		t.Cleanup(sim.Close)
		test(t, sim, newClient(t, sim))
	})
}

// client reads from a simulator in memory.
type client struct {
	http   *http.Client
	bearer string
}

func newClient(t *testing.T, sim *Simulator) *client {
	t.Helper()
	transport := sim.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	c := &client{http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	sim.mu.Lock()
	c.bearer, _ = sim.newToken([]string{scopeLogs})["access_token"].(string)
	sim.mu.Unlock()
	return c
}

// got is what a client sees of a reply.
type got struct {
	status int
	header http.Header
	body   []byte
	err    error // of the request or of the body
}

func (c *client) read(ctx context.Context, t *testing.T, path string) got {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, URL+path, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+c.bearer)
	return c.do(req)
}

func (c *client) do(req *http.Request) got {
	resp, err := c.http.Do(req)
	if err != nil {
		return got{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return got{status: resp.StatusCode, header: resp.Header, body: body, err: err}
}

func (c *client) bulk(t *testing.T) got {
	t.Helper()
	return c.read(t.Context(), t, pathBulk)
}

func (c *client) token(t *testing.T, query, form string, change func(*http.Request)) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, URL+pathToken+query, strings.NewReader(form))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(req)
	}
	reply := c.do(req)
	require.NoError(t, reply.err)
	var body map[string]any
	require.NoError(t, json.Unmarshal(reply.body, &body))
	return reply.status, body
}

// numbers from first on.
func numbers(first int64, n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = first + int64(i)
	}
	return all
}

func since(start time.Time) time.Duration { return time.Since(start).Round(time.Millisecond) }
