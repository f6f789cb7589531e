// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// pageSize is SAP's.
const pageSize = 500

// maxAllocations is how many an event may cost; nearly all are values of attributes and of the body.
const maxAllocations = 62

// mixture says how often a sample is in the page of the benchmark. Most of a subaccount's log is logins and tokens.
var mixture = map[string]int{
	"business_application_studio": 1, "cloud_integration": 2, "cloud_management": 1, "data_access": 2, "data_modification": 3,
	"datasphere": 1, "identity_services": 2, "retrieval": 4, "security_text": 2, "uaa_client_authentication": 10,
	"uaa_token_issued": 8, "uaa_user_authentication": 5, "work_zone": 1, "xsuaa_administration": 3,
}

// realisticPage returns a full page as the service sends it, without blanks between the values.
func realisticPage(tb testing.TB) []byte {
	tb.Helper()
	var samples [][]byte
	for _, name := range slices.Sorted(maps.Keys(mixture)) {
		page, err := os.ReadFile(filepath.Join(payloads, name+".json"))
		require.NoError(tb, err)
		var recs []json.RawMessage
		require.NoError(tb, json.Unmarshal(page, &recs))
		for range mixture[name] {
			for _, rec := range recs {
				var compact bytes.Buffer
				require.NoError(tb, json.Compact(&compact, rec))
				samples = append(samples, compact.Bytes())
			}
		}
	}
	page := []byte{'['}
	for i := range pageSize {
		if i > 0 {
			page = append(page, ',')
		}
		uuid := fmt.Sprintf("%08x-1a2b-4c3d-8e4f-%012x", i*2654435761%(1<<32), i)
		sample := samples[i%len(samples)]
		var rec struct {
			UUID string `json:"message_uuid"`
		}
		require.NoError(tb, json.Unmarshal(sample, &rec))
		page = append(page, bytes.ReplaceAll(sample, []byte(rec.UUID), []byte(uuid))...)
	}
	return append(page, ']')
}

// ourWay is what the receiver does with a page.
func ourWay(tb testing.TB, m *Mapper, page []byte) plog.Logs {
	tb.Helper()
	recs, err := Split(page)
	if err != nil {
		tb.Fatal(err)
	}
	logs, into := m.NewLogs()
	for i := range recs {
		m.Append(into, &recs[i], observed)
	}
	return logs
}

func TestMapWayOfTheBenchmarkGivesTheSameRecords(t *testing.T) {
	page := realisticPage(t)
	m := testMapper(nil)
	theirs := mapWay(t, m, page)
	intsForFloats(theirs)
	// The digests in the identities are made of different texts.
	require.NoError(t, plogtest.CompareLogs(ourWay(t, m, page), theirs, plogtest.IgnoreLogRecordAttributeValue(attrUID)))
}

func TestMappingAllocatesLessThanHalfOfTheMapWay(t *testing.T) {
	page := realisticPage(t)
	m := testMapper(nil)
	ours := testing.AllocsPerRun(3, func() { ourWay(t, m, page) })
	theirs := testing.AllocsPerRun(3, func() { mapWay(t, m, page) })
	require.Less(t, ours, theirs/2)
}

// BenchmarkPage takes one page of 500 records to plog.Logs, identities included: ours, with encoding/json into maps,
// and, as the least that any way through maps costs, only decoding the page without what is wrapped in its strings.
func BenchmarkPage(b *testing.B) {
	page := realisticPage(b)
	m := testMapper(nil)
	for _, way := range []struct {
		name string
		run  func()
	}{
		{"ours", func() { ourWay(b, m, page) }},
		{"map", func() { mapWay(b, m, page) }},
		{"map_decode_only", func() { decodeOnly(b, page) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			allocs := testing.AllocsPerRun(1, way.run)
			for b.Loop() {
				way.run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pageSize, "ns/event")
			b.ReportMetric(allocs/pageSize, "allocs/event")
			if way.name == "ours" && allocs/pageSize > maxAllocations {
				b.Errorf("an event costs %.1f allocations; the bar is %d", allocs/pageSize, maxAllocations)
			}
			b.ReportMetric(float64(len(page))/pageSize, "B/event")
		})
	}
}
