// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
)

var (
	from = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	to   = time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
)

const (
	times = "time_from=2026-03-01T10%3A00%3A00&time_to=2026-03-01T11%3A00%3A00"
	ask   = "category=audit.security-events%2Caudit.data-access&" + times
)

var categories = []string{"audit.security-events", "audit.data-access"}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answer is one reply of the fake API. A zero status is a connection that breaks.
type answer struct {
	status int
	body   string
	header map[string]string
}

// api plays the API and its token endpoint in memory: the n-th retrieval gets the n-th answer, and tokens are numbered.
type api struct {
	t       *testing.T
	answers []answer
	onAPI   func(*http.Request) // called during each retrieval

	queries  []string // of the retrievals
	tokens   []string // sent with them
	waits    int
	outcomes []string
	granted  int
	denies   int // token requests are refused from this one on; 0 is never
}

func (a *api) retrieve(req *http.Request) (*http.Response, error) {
	require.NotEmpty(a.t, a.answers, "one request too many: %s", req.URL.RawQuery)
	require.Equal(a.t, "https://auditlog.example.com/auditlog/v2/auditlogrecords", strings.TrimSuffix(req.URL.String(), "?"+req.URL.RawQuery))
	require.Equal(a.t, http.MethodGet, req.Method)
	require.Equal(a.t, "application/json", req.Header.Get("Accept"))
	a.queries = append(a.queries, req.URL.RawQuery)
	a.tokens = append(a.tokens, strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
	require.Equal(a.t, len(a.queries), a.waits, "every request waits for its turn")
	next := a.answers[0]
	a.answers = a.answers[1:]
	if a.onAPI != nil {
		a.onAPI(req)
	}
	if next.status == 0 {
		return nil, io.EOF
	}
	header := http.Header{}
	for k, v := range next.header {
		header.Set(k, v)
	}
	body := strings.ReplaceAll(next.body, "$TOKEN", a.tokens[len(a.tokens)-1]) // a server that echoes
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

func (a *api) grant(req *http.Request) (*http.Response, error) {
	a.granted++
	status, body := http.StatusOK, fmt.Sprintf(`{"access_token":"canary-t%d","expires_in":3600}`, a.granted)
	if a.denies > 0 && a.granted >= a.denies {
		status, body = http.StatusUnauthorized, `{"error":"unauthorized"}`
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// client returns a Client of the fake API.
func (a *api) client(change ...func(*Settings)) *Client {
	a.t.Helper()
	settings := Settings{
		Endpoint: "https://auditlog.example.com/",
		Caller:   httpcall.New(&http.Client{Transport: tripper(a.retrieve)}, httpcall.WithMaxBody(1000)),
		Tokens: oauth.New(oauth.Settings{
			TokenURL: "https://uaa.example.com/oauth/token", ClientID: "id", Secret: func() (string, error) { return "canary-secret", nil },
			Caller: httpcall.New(&http.Client{Transport: tripper(a.grant)}),
		}),
		Wait:      func(context.Context) error { a.waits++; return nil },
		OnRequest: func(outcome string, _ time.Duration) { a.outcomes = append(a.outcomes, outcome) },
	}
	for _, c := range change {
		c(&settings)
	}
	c, err := New(settings)
	require.NoError(a.t, err)
	return c
}

func ok(handle string) answer {
	if handle == "" {
		return answer{status: 200, body: "[{}]"}
	}
	return answer{status: 200, body: "[{}]", header: map[string]string{"Paging": "handle=" + handle}}
}

func fails(status int) answer { return answer{status: status} }
