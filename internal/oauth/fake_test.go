// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

const (
	clientID = "sb-1!b1|audit!b2"
	secret   = "canary+$=secret|%2B"
)

// endpoint plays a token endpoint in memory: reply n is answers[n], and the last one stays. It keeps what was asked.
type endpoint struct {
	answers []answer

	mu    sync.Mutex
	asked []request
	begin time.Time
}

type request struct {
	at     time.Duration // since the endpoint began
	form   url.Values
	header http.Header
	method string
	url    string
}

// answer is one reply of the endpoint.
type answer func(*http.Request) (*http.Response, error)

func newEndpoint(answers ...answer) *endpoint {
	return &endpoint{answers: answers, begin: time.Now()}
}

func (e *endpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	n := len(e.asked)
	e.asked = append(e.asked, request{time.Since(e.begin), form, req.Header, req.Method, req.URL.String()})
	e.mu.Unlock()
	return e.answers[min(n, len(e.answers)-1)](req)
}

func (e *endpoint) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.asked)
}

// times returns when each request came.
func (e *endpoint) times() []time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := make([]time.Duration, 0, len(e.asked))
	for _, r := range e.asked {
		at = append(at, r.at)
	}
	return at
}

func reply(status int, body string, header ...string) answer {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
	}
}

// grants answers with a token that is valid for life.
func grants(token string, life time.Duration) answer {
	return reply(http.StatusOK, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%d}`, token, int(life.Seconds())))
}

func unreachable(*http.Request) (*http.Response, error) { return nil, io.EOF }

// after delays an answer, or lets the request's context end it.
func after(d time.Duration, answer answer) answer {
	return func(req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return answer(req)
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
}

// source returns a Source for the endpoint.
func (e *endpoint) source(change ...func(*Settings)) *Source {
	settings := Settings{
		TokenURL: "https://uaa.example.com/oauth/token",
		ClientID: clientID,
		Secret:   func() (string, error) { return secret, nil },
		Caller:   httpcall.New(&http.Client{Transport: e}),
	}
	for _, c := range change {
		c(&settings)
	}
	return New(settings)
}

// bearer returns the text of the token, as a resource would see it.
func bearer(t *testing.T, token Token) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a", http.NoBody)
	require.NoError(t, err)
	token.Authorize(req)
	return strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
}

// want asks s for a token and expects this one.
func want(t *testing.T, s *Source, text string) Token {
	t.Helper()
	token, err := s.Token(t.Context())
	assert.True(t, err == nil && bearer(t, token) == text, "want %s, got %v", text, err) // some callers run in goroutines
	return token
}
