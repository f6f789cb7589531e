// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/distribution"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/program"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// shaper is the real program with the processor of an example between OTLP and OTLP.
type shaper struct {
	client  *http.Client // of the program
	log     string
	running *program.Process
	discard bool // what comes out is not kept

	mu  sync.Mutex
	got []plog.Logs
}

// newShaper starts the program with the statements of an example; without an example nothing is changed.
func newShaper(tb testing.TB, example string) *shaper {
	tb.Helper()
	s := &shaper{log: filepath.Join(tb.TempDir(), "log")}
	sink := httptest.NewServer(s)
	tb.Cleanup(sink.Close)
	// A port could be taken by somebody else before the program listens; names of sockets must be short.
	dir, err := os.MkdirTemp("", "shape") //nolint:usetesting // a short name
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, os.RemoveAll(dir)) })
	socket := filepath.Join(dir, "otlp")
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", socket)
	}
	s.client = &http.Client{Transport: &http.Transport{DialContext: dial}}

	processors := ""
	args := []string{"--config=" + filepath.Join(tb.TempDir(), "config.yaml")}
	if example != "" {
		processors = "transform/" + example
		args = append(args, "--config="+filepath.Join(example, example+".yaml"))
	}
	config := fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {transport: unix, endpoint: %q}}}}
exporters: {otlp_http: {endpoint: %q, compression: none, sending_queue: {enabled: false}}}
service:
  pipelines: {logs: {receivers: [otlp], processors: [%s], exporters: [otlp_http]}}
  telemetry: {metrics: {level: none}, logs: {level: warn}}
`, socket, sink.URL, processors)
	require.NoError(tb, os.WriteFile(strings.TrimPrefix(args[0], "--config="), []byte(config), 0o600))
	log, err := os.Create(s.log)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, log.Close()) })
	s.running, err = program.Start(program.Spec{Path: distribution.Program(tb, "otelcol-audit"), Args: args, Output: log})
	require.NoError(tb, err)
	tb.Cleanup(s.running.Kill)
	s.waitUntilListening(tb, socket)
	return s
}

func (s *shaper) waitUntilListening(tb testing.TB, socket string) {
	tb.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("unix", socket); err == nil {
			require.NoError(tb, conn.Close())
			return
		}
		if !s.running.Running() {
			break
		}
	}
	require.Fail(tb, "the Collector does not listen", s.said(tb))
}

func (s *shaper) said(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile(s.log)
	require.NoError(tb, err)
	return string(text)
}

// stop ends the program, which must have had nothing to complain of: no statement failed.
func (s *shaper) stop(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.running.Stop())
	require.Empty(tb, s.said(tb))
}

func (s *shaper) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	logs, err := decode(req)
	if err != nil {
		http.Error(w, "not OTLP", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	if !s.discard {
		s.got = append(s.got, logs)
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK)
}

func encode(tb testing.TB, logs plog.Logs) []byte {
	tb.Helper()
	request, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(tb, err)
	return request
}

// send gives the program an OTLP request. It has answered once the records have gone through.
func (s *shaper) send(tb testing.TB, request []byte) {
	tb.Helper()
	answer, err := s.client.Post("http://otlp/v1/logs", "application/x-protobuf", bytes.NewReader(request))
	require.NoError(tb, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(tb, err)
	require.NoError(tb, answer.Body.Close())
	require.Equal(tb, http.StatusOK, answer.StatusCode, "%s", text)
}

// shape sends records through the program and gives what comes out.
func (s *shaper) shape(tb testing.TB, logs plog.Logs) plog.Logs {
	tb.Helper()
	s.send(tb, encode(tb, logs))
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(tb, s.got, 1)
	shaped := s.got[0]
	s.got = nil
	require.Equal(tb, logs.LogRecordCount(), shaped.LogRecordCount())
	return shaped
}

// goldenRecords are what the receivers make of every payload, by the path below testdata.
func goldenRecords(tb testing.TB) map[string]plog.Logs {
	tb.Helper()
	paths, err := filepath.Glob("../testdata/*/golden/*.yaml")
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	all := map[string]plog.Logs{}
	for _, path := range paths {
		source := filepath.Base(filepath.Dir(filepath.Dir(path)))
		all[filepath.Join(source, filepath.Base(path))], err = golden.ReadLogs(path)
		require.NoError(tb, err)
	}
	return all
}

// pairs are the records before and behind the processor, in their order.
func pairs(before, behind plog.Logs) func(yield func(was, is plog.LogRecord) bool) {
	return func(yield func(was, is plog.LogRecord) bool) {
		is := recordsOf(behind)
		for i, was := range recordsOf(before) {
			if !yield(was, is[i]) {
				return
			}
		}
	}
}

func recordsOf(logs plog.Logs) (records []plog.LogRecord) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				records = append(records, record)
			}
		}
	}
	return records
}

// requireShape compares with a golden file what was added to each record of a payload.
func requireShape(t *testing.T, path string, added []map[string]any) {
	t.Helper()
	text := &bytes.Buffer{}
	encoder := yaml.NewEncoder(text)
	encoder.SetIndent(2)
	require.NoError(t, encoder.Encode(added))
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./examples -run Payload -update writes it; look at it before you commit it")
	require.Equal(t, string(want), text.String())
}

// requireUntouched checks that nothing but what the callback takes back has changed.
func requireUntouched(t *testing.T, was, is plog.Logs, takeBack func(was, is plog.LogRecord)) {
	t.Helper()
	back := plog.NewLogs()
	is.CopyTo(back)
	for before, behind := range pairs(was, back) {
		takeBack(before, behind)
		require.Equal(t, before.EventName(), behind.EventName())
	}
	require.NoError(t, plogtest.CompareLogs(was, back))
}

// documentedActions are the values of audit.action that a receiver's README lists.
func documentedActions(tb testing.TB, readme string) (actions []string) {
	tb.Helper()
	text, err := os.ReadFile(readme)
	require.NoError(tb, err)
	_, list, found := strings.Cut(string(text), "\n#### Actions\n")
	require.True(tb, found, readme)
	list, _, _ = strings.Cut(strings.TrimSpace(list), "\n\n")
	for _, word := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(list, -1) {
		actions = append(actions, word[1])
	}
	require.NotEmpty(tb, actions, readme)
	return actions
}

// allRecords has a record of every action for each kind of event and target, and what the receivers say themselves.
func allRecords(tb testing.TB) plog.Logs {
	tb.Helper()
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	add := func(event string, attributes map[string]any) plog.LogRecord {
		record := records.AppendEmpty()
		record.SetEventName(event)
		record.SetTimestamp(pcommon.NewTimestampFromTime(time.Unix(1_790_000_000, 0)))
		record.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Unix(1_790_000_060, 0)))
		record.SetSeverityNumber(plog.SeverityNumberWarn)
		require.NoError(tb, record.Attributes().FromRaw(attributes))
		record.Attributes().PutStr("log.record.uid", fmt.Sprint("uid-", records.Len()))
		record.Body().SetStr("as received")
		return record
	}
	targets := []string{
		"", "user", "client", "group", "role_collection", "identity_provider", "artifact", "package", "application", "dev_space", "audit_log",
		"file", "folder", "policy", "of its producer",
	}
	for events, readme := range map[string]string{
		"sap.btp.audit.security_event sap.btp.audit.configuration_change sap.btp.audit.data_access sap.btp.audit.data_modification sap.btp.audit.unknown":                                                           "../receiver/sapbtpauditreceiver/README.md",
		"saas_security.activity_monitoring saas_security.admin_audit saas_security.incident saas_security.policy_violation saas_security.remediation saas_security.ba_incident_event saas_security.posture_finding": "../receiver/saassecurityreceiver/README.md",
	} {
		for event := range strings.FieldsSeq(events) {
			for _, action := range append(documentedActions(tb, readme), "") {
				for i, target := range targets {
					attributes := map[string]any{"audit.outcome": "failure"}
					for key, value := range map[string]string{"audit.action": action, "audit.target.type": target} {
						if value != "" {
							attributes[key] = value
						}
					}
					if i%2 == 0 { // else it is not known
						attributes["audit.target.id"], attributes["audit.actor.id"], attributes["client.address"] = "target", "actor", "gw.example.org"
					}
					add(event, attributes)
				}
			}
		}
	}
	add("sap.btp.audit.gap", nil)
	add("saas_security.gap", nil).SetSeverityNumber(plog.SeverityNumberFatal)
	add("saas_security.unparsed", nil).Body().SetEmptyBytes().FromRaw([]byte{0xff, 0xfe})
	add("of.another.receiver", nil)
	return logs
}
