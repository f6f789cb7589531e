// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"compress/gzip"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

const token = "siem-token"

// siem takes logs by OTLP/HTTP.
type siem struct {
	url  string
	auth string // the Authorization that it wants; may be empty

	mu       sync.Mutex
	refusals int
	ids      []string      // of SAP's events
	others   []string      // uids of all other records
	arrived  chan struct{} // holds a token after an arrival
}

func newSIEM(t *testing.T, token string) *siem {
	t.Helper()
	s := &siem{arrived: make(chan struct{}, 1)}
	if token != "" {
		s.auth = "Bearer " + token
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// refuse makes it answer the next n requests with 401.
func (s *siem) refuse(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = n
}

func (s *siem) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Header.Get("Authorization") != s.auth || s.refused() {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	logs, err := decode(req)
	if err != nil {
		http.Error(w, "not OTLP", http.StatusBadRequest)
		return
	}
	s.take(logs)
	answer, err := plogotlp.NewExportResponse().MarshalProto()
	if err != nil {
		http.Error(w, "cannot answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer) // a client that went away asks again
}

func (s *siem) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusals == 0 {
		return false
	}
	s.refusals--
	return true
}

func decode(req *http.Request) (plog.Logs, error) {
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			return plog.Logs{}, err
		}
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return plog.Logs{}, err
	}
	export := plogotlp.NewExportRequest()
	err = export.UnmarshalProto(raw)
	return export.Logs(), err
}

func (s *siem) take(logs plog.Logs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, rec := range scope.LogRecords().All() {
				if id, isSAP := rec.Attributes().Get("sap.btp.audit.message_uuid"); isSAP {
					s.ids = append(s.ids, id.AsString())
				} else {
					uid, _ := rec.Attributes().Get("log.record.uid")
					s.others = append(s.others, uid.AsString())
				}
			}
		}
	}
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

func (s *siem) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

func (s *siem) ofOthers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.others)
}

// wait waits until n records have arrived, and reports false when they have not in time or the program ended before.
func (s *siem) wait(n int, ended <-chan struct{}) bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	for len(s.received())+len(s.ofOthers()) < n {
		select {
		case <-s.arrived:
		case <-ended:
			return false
		case <-late.C:
			return false
		}
	}
	return true
}

// requireAll checks what arrived against the simulator's ledger.
func (s *siem) requireAll(t *testing.T, sim *sapbtp.Simulator) {
	t.Helper()
	ids := s.received()
	require.Empty(t, sim.Ledger().Missing(ids), "missing")
	require.Empty(t, sim.Ledger().Unexpected(ids), "invented")
	require.Empty(t, sim.Ledger().Duplicates(ids), "repeated")
}

// proxy opens tunnels (CONNECT) to one address, whatever is asked for.
type proxy struct {
	url string

	mu    sync.Mutex
	hosts map[string]struct{}
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{hosts: map[string]struct{}{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodConnect {
			http.Error(w, "tunnels only", http.StatusMethodNotAllowed)
			return
		}
		p.note(req.Host)
		if err := tunnel(w, target); err != nil {
			t.Logf("tunnel: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *proxy) note(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hosts[host] = struct{}{}
}

// asked is the hosts that tunnels were asked for.
func (p *proxy) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return sortedKeys(p.hosts)
}

// tunnel connects the client with the target until one of them ends.
func tunnel(w http.ResponseWriter, target string) error {
	there, err := net.Dial("tcp", target)
	if err != nil {
		http.Error(w, "unreachable", http.StatusBadGateway)
		return err
	}
	defer func() { _ = there.Close() }()
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer func() { _ = here.Close() }()
	if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return err
	}
	done := make(chan struct{}, 2)
	for _, ends := range [][2]net.Conn{{here, there}, {there, here}} {
		go func() {
			_, _ = io.Copy(ends[0], ends[1]) // ends with the connection
			done <- struct{}{}
		}()
	}
	<-done
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
