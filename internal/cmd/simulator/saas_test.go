// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// startSaaS starts the service with the flags and returns its address.
func startSaaS(t *testing.T, args ...string) (*saas, string) {
	t.Helper()
	s := newSaaS(t, args...)
	var out bytes.Buffer
	require.NoError(t, s.start(&out))
	t.Cleanup(func() { require.NoError(t, s.stop()) })
	address, _, found := strings.Cut(strings.TrimPrefix(out.String(), "saas: API at "), ",")
	require.True(t, found)
	return s, address
}

func newSaaS(t *testing.T, args ...string) *saas {
	t.Helper()
	s := &saas{}
	set := flag.NewFlagSet("simulator", flag.ContinueOnError)
	s.flags(set)
	require.NoError(t, set.Parse(append([]string{"-saas-listen=127.0.0.1:0"}, args...)))
	return s
}

// ask sends a request and decodes the JSON of a reply with status 200.
func ask(t *testing.T, method, target, body string, change func(*http.Request), into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	require.NoError(t, err)
	change(req)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		require.NoError(t, json.NewDecoder(resp.Body).Decode(into))
	}
	return resp.StatusCode
}

func TestSaaSServesItsBacklog(t *testing.T) {
	_, address := startSaaS(t, "-saas-backlog=120", "-saas-client-secret=s3", "-saas-faults=bulk status=503 times=1")

	var token struct {
		AccessToken string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"api_access"}}.Encode()
	require.Equal(t, http.StatusOK, ask(t, http.MethodPost, address+"/oauth/token", form, func(r *http.Request) {
		r.SetBasicAuth(saassecurity.DefaultClientID, "s3")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}, &token))

	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.AccessToken) }
	var statuses []int
	for range 4 {
		var reply struct{ Events []json.RawMessage }
		statuses = append(statuses, ask(t, http.MethodGet, address+"/api/v1/log_events_bulk", "", bearer, &reply))
	}
	require.Equal(t, []int{503, 200, 200, 204}, statuses)

	var summary saassecurity.Summary
	require.Equal(t, http.StatusOK, ask(t, http.MethodGet, address+saassecurity.AdminPath+"ledger", "", func(*http.Request) {}, &summary))
	require.Equal(t, 120, summary.Sent)
	require.Equal(t, 2, summary.Dequeues)
	require.Equal(t, 1, summary.TokenRequests)
}

func TestSaaSKeepsEventsComing(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		s := newSaaS(t, "-saas-rate=20")
		s.sim = saassecurity.New(s.options)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.run(ctx)
		require.InDelta(t, 1200, s.sim.Ledger().Enqueued, 2)
	})
}

func TestSaaSIsLeftOutWithoutAnAddress(t *testing.T) {
	s := newSaaS(t, "-saas-listen=")
	require.NoError(t, s.start(io.Discard))
	require.Nil(t, s.sim)
	s.run(t.Context())
	require.NoError(t, s.stop())
}

func TestSaaSRefusesNonsense(t *testing.T) {
	require.ErrorContains(t, newSaaS(t, "-saas-faults=bulk explode").start(io.Discard), "explode")
	require.ErrorContains(t, newSaaS(t, "-saas-listen=nowhere").start(io.Discard), "nowhere")
}
