// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/completeness"
)

// logs is a batch with one record.
func logs(service, eventName string, at time.Time, attributes ...string) plog.Logs {
	out := plog.NewLogs()
	resource := out.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	r := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetEventName(eventName)
	r.SetTimestamp(pcommon.NewTimestampFromTime(at))
	for i := 0; i < len(attributes); i += 2 {
		r.Attributes().PutStr(attributes[i], attributes[i+1])
	}
	return out
}

const (
	uidKey  = "log.record.uid"
	uuidKey = "sap.btp.audit.message_uuid"
)

func TestArrivalsAreCountedBySourceAndCategory(t *testing.T) {
	sap := newComparedSource("sap-btp-audit", risk{}, attributeID(uuidKey))
	a := &arrivals{sources: []*source{sap}}
	sap.book.Exists("1", noon)
	sap.book.Exists("2", noon)
	a.take(logs("sap-btp-audit", "sap.btp.audit.data_access", noon, uidKey, "1@t", uuidKey, "1"))
	a.take(logs("sap-btp-audit", "sap.btp.audit.data_access", noon.Add(-time.Hour), uidKey, "2@t", uuidKey, "2"))
	a.take(logs("sap-btp-audit", "sap.btp.audit.data_access", noon.Add(-time.Hour), uidKey, "2@t", uuidKey, "2"))
	a.take(logs("sap-btp-audit", "sap.btp.audit.gap", noon.Add(-time.Hour), uidKey, "gap:1"))
	a.take(logs("another", "", noon, uidKey, "x"))

	require.Equal(t, 4, sap.arrived)
	require.Equal(t, map[string]int{"data_access": 3, "gap": 1}, sap.categories)
	require.Equal(t, noon, sap.newest)
	require.Equal(t, completeness.State{Visible: 2, Arrived: 2, Repeated: 1}, sap.book.State())
	require.Len(t, a.sources, 2, "a source that nobody announced has a row, too")
	require.Equal(t, "another", a.sources[1].name)
	require.Equal(t, map[string]int{"without a name": 1}, a.sources[1].categories)
	require.Nil(t, a.sources[1].book, "nobody knows what it has")
	require.Len(t, a.latest, 3)
	require.Equal(t, 2, a.latest[0].times, "an event that came again is not news")
}

func TestTheLatestEventsTakeOnePlaceEach(t *testing.T) {
	a := &arrivals{}
	names := func() (out []string) {
		for _, s := range a.latest {
			out = append(out, s.what)
		}
		return out
	}
	for _, what := range []string{"read", "x", "read", "y", "read"} {
		a.remember(sentence{what: what, times: 1, at: noon})
	}
	require.Equal(t, []string{"x", "y", "read"}, names())
	require.Equal(t, 3, a.latest[2].times)
	for _, what := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		a.remember(sentence{what: what, times: 1})
	}
	require.Equal(t, []string{"read", "1", "2", "3", "4", "5", "6", "7"}, names())
}

func TestSpeedIsThatOfTheLastSeconds(t *testing.T) {
	var s speed
	require.Zero(t, s.perSecond())
	s.note(noon, 0)
	require.Zero(t, s.perSecond())
	s.note(noon, 5)
	require.Zero(t, s.perSecond(), "no time has passed")
	for i := 1; i <= 60; i++ {
		s.note(noon.Add(time.Duration(i)*time.Second), 1000+3*i)
	}
	require.InDelta(t, 3.0, s.perSecond(), 0.01)
	require.LessOrEqual(t, len(s.marks), 8)
}
