// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

const (
	payloads = "../../../../testdata/sap-btp-audit/payloads"
	goldens  = "../../../../testdata/sap-btp-audit/golden"
)

var observed = time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC)

func testMapper(change func(*Options)) *Mapper {
	opts := Options{
		ScopeVersion: "1.2.3", Region: "eu10",
		SubaccountID: "3f1d7c20-94ab-4e55-a0c6-7be1d2f3a455", SubaccountName: "acme-prod",
	}
	if change != nil {
		change(&opts)
	}
	return NewMapper(opts)
}

// mapPage takes a page the whole way.
func mapPage(t *testing.T, m *Mapper, page []byte) plog.Logs {
	t.Helper()
	recs, err := Split(page)
	require.NoError(t, err)
	logs, into := m.NewLogs()
	for i := range recs {
		m.Append(into, &recs[i], observed)
	}
	return logs
}

func recordsOf(logs plog.Logs) plog.LogRecordSlice {
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
}

func TestSamplePayloadsGiveGoldenRecords(t *testing.T) {
	samples, err := filepath.Glob(filepath.Join(payloads, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, samples)
	for _, sample := range samples {
		name := strings.TrimSuffix(filepath.Base(sample), ".json")
		t.Run(name, func(t *testing.T) {
			page, err := os.ReadFile(sample)
			require.NoError(t, err)
			requireGolden(t, name, mapPage(t, testMapper(nil), page))
		})
	}
}

func TestBodyAsStringGivesGoldenRecords(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(payloads, "data_access.json"))
	require.NoError(t, err)
	requireGolden(t, "body_string", mapPage(t, testMapper(func(o *Options) {
		o.Body, o.IncludeOriginal = BodyString, true
		o.Region, o.SubaccountName = "", ""
	}), page))
}

func requireGolden(t *testing.T, name string, got plog.Logs) {
	t.Helper()
	path := filepath.Join(goldens, name+".yaml")
	if *update {
		require.NoError(t, golden.WriteLogsToFile(path, got))
		return
	}
	want, err := golden.ReadLogs(path)
	require.NoError(t, err)
	require.NoError(t, plogtest.CompareLogs(want, got))
	// CompareLogs leaves these out.
	require.Equal(t, recordsOf(want).Len(), recordsOf(got).Len())
	for i := range recordsOf(want).Len() {
		require.Equal(t, recordsOf(want).At(i).EventName(), recordsOf(got).At(i).EventName())
	}
}
