// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// watched is a world that logs everything, has events full of canaries, and whose secrets are noted as they pass by.
func watched(t *testing.T, options sapbtp.Options) (*world, *witness) {
	t.Helper()
	w := newWorld(t, options)
	core, logs := observer.New(zapcore.DebugLevel)
	w.logs, w.logger = logs, zap.New(core)
	w.addCanaries()
	witness := newWitness(w)
	w.transport = witness
	return w, witness
}

// addCanaries puts events into the API that can be recognised by every field.
func (w *world) addCanaries() {
	start := time.Now()
	for i := range 20 {
		at := start.Add(time.Duration(i-10) * time.Minute)
		w.sim.Add(w.sub.Tenant, sapbtp.Record{JSON: fmt.Appendf(nil, `{"message_uuid":"%[1]s-%[2]d","time":%[3]q,"tenant":%[4]q,"org_id":"%[1]s","space_id":"%[1]s","user":"%[1]s",
			"category":"audit.security-events","%[1]s":"%[1]s","message":"{\"data\":\"%[1]s\",\"user\":\"%[1]s\",\"ip\":\"%[1]s\",\"%[1]s\":1}"}`,
			content, i, at.UTC().Format("2006-01-02T15:04:05.000Z"), w.sub.Tenant)})
	}
	w.sim.Generate(w.sub.Tenant, 700, start.Add(-50*time.Minute), start.Add(10*time.Minute))
}

// witness notes the tokens and handles that pass by.
type witness struct {
	http.RoundTripper
	echo bool // send back what was sent, in every place that an answer has

	mu       sync.Mutex
	secrets  map[string]string // what they are
	requests int
}

func newWitness(w *world) *witness {
	return &witness{RoundTripper: w.transport, secrets: map[string]string{content: "content of an event", w.sub.ClientSecret: "client secret"}}
}

// watch notes the tokens that come to a real listener.
func (s *witness) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(resp http.ResponseWriter, req *http.Request) {
		s.note("token", strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
		next.ServeHTTP(resp, req)
	})
}

func (s *witness) RoundTrip(req *http.Request) (*http.Response, error) {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	s.note("token", token)
	resp, err := s.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	s.note("handle", strings.TrimPrefix(resp.Header.Get("Paging"), "handle="))
	if s.echo {
		s.mimic(resp, token)
	}
	return resp, nil
}

func (s *witness) note(what, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if secret != "" {
		s.secrets[secret] = what
	}
}

// mimic makes most answers into refusals that quote the credentials, whole and in parts that look like an error code.
func (s *witness) mimic(resp *http.Response, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	statuses := []int{0, 400, 401, 403, 404, 409, 429, 500, 501, 503, 302, 200}
	status := statuses[s.requests%len(statuses)]
	if status == 0 || s.requests%2 == 0 {
		return
	}
	secret := token
	if secret == "" {
		for text, what := range s.secrets {
			if what == "client secret" {
				secret = text
			}
		}
	}
	part := secret[:36]
	s.secrets[part] = "part of a secret"
	answer, err := json.Marshal(map[string]any{"error": part, "error_description": secret, "access_token": map[string]string{"x": secret}})
	if err != nil {
		panic(err)
	}
	resp.StatusCode, resp.Status = status, secret
	resp.Header.Set("Location", "https://"+sapbtp.ElsewhereHost+"/?token="+url.QueryEscape(secret))
	resp.Header.Set("Retry-After", secret)
	resp.Header.Set("WWW-Authenticate", secret)
	resp.Header.Set("Date", secret)
	resp.Body = http.NoBody
	if len(answer) > 0 {
		resp.Body = body{strings.NewReader(string(answer))}
	}
}

type body struct{ *strings.Reader }

func (body) Close() error { return nil }

// publicised is everything that somebody else can see of a receiver.
func (w *world) publicised(t *testing.T, host *statusHost) map[string]string {
	t.Helper()
	seen := observed.Places(t, w.logs, w.disk, w.telemetry)
	seen["status"] = strings.Join(host.take(), "\n")
	return seen
}

// kinds are the kinds of secrets that have passed by.
func (s *witness) kinds() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Compact(slices.Sorted(maps.Values(s.secrets)))
}

// requireSecret fails if a secret is seen.
func (s *witness) requireSecret(t *testing.T, seen map[string]string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.GreaterOrEqual(t, len(s.secrets), 3, "at least a token has passed by")
	for _, place := range []string{"log", "metrics", "spans"} {
		require.NotEmpty(t, seen[place], "%s is looked at", place)
	}
	for secret, what := range s.secrets {
		for place, text := range seen {
			if at := find(text, secret); at >= 0 {
				require.Failf(t, "seen by everybody", "%s in %s, after %q", what, place, text[max(0, at-200):at])
			}
		}
	}
}

// reveals reports whether text contains a secret, plain or in an encoding that anybody can undo.
func reveals(text, secret string) bool { return find(text, secret) >= 0 }

// find tells where; -1 means nowhere.
func find(text, secret string) int {
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), fmt.Sprintf("%x", secret)}
	for offset := range 3 {
		// Base64 depends on what stands before; the characters at both ends also on what stands around.
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString(append(make([]byte, offset), secret...))
			forms = append(forms, encoded[(offset*8+5)/6:len(encoded)-1])
		}
	}
	for _, form := range forms {
		if at := strings.Index(text, form); at >= 0 {
			return at
		}
	}
	return -1
}
