// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// AppendGap adds a record that announces a hole in the audit trail: the events from from to to (not included), or some of
// them, cannot be read any more. The reason is a short code. The same hole of the
// same source announced again has the same log.record.uid.
func (m *Mapper) AppendGap(dst plog.LogRecordSlice, source string, from, to time.Time, reason string, observed time.Time) {
	start, end := from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)
	rec := dst.AppendEmpty()
	rec.SetEventName(EventGap)
	rec.SetTimestamp(pcommon.NewTimestampFromTime(to))
	rec.SetObservedTimestamp(pcommon.NewTimestampFromTime(observed))
	rec.SetSeverityNumber(plog.SeverityNumberError)
	rec.SetSeverityText("ERROR")
	rec.Body().SetStr("Audit events between " + start + " and " + end + " are missing (" + reason + ")")
	attrs := rec.Attributes()
	attrs.EnsureCapacity(5)
	attrs.PutStr(attrUID, "gap:"+start+"/"+end+":"+reason+"@"+source)
	attrs.PutStr(attrGapFrom, start)
	attrs.PutStr(attrGapTo, end)
	attrs.PutStr(attrGapReason, reason)
	attrs.PutInt(attrGapSeconds, int64(to.Sub(from)/time.Second))
}
