// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// timeLayouts are the forms in which times occur. Go accepts a fraction of the
// second in all of them.
var timeLayouts = []string{
	time.RFC3339,
	time.DateTime, // syslog
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05",
}

// timestamp reads a time; without a zone it is UTC. It fails for times that
// OTLP cannot express.
func timestamp(n jsonlog.Node) (pcommon.Timestamp, bool) {
	text := strings.TrimSpace(n.Str())
	if text == "" {
		return 0, false
	}
	for _, layout := range timeLayouts {
		t, err := time.Parse(layout, text)
		if err == nil {
			ok := t.Unix() >= 0 && t.Unix() < math.MaxInt64/int64(time.Second)
			return pcommon.NewTimestampFromTime(t), ok
		}
	}
	return 0, false
}

// number reads a number, which may have a fraction or be written as text.
func number(n jsonlog.Node) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(n.Scalar()), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// severity grades the numbers from 0 to 5. Events without one inform.
func severity(n jsonlog.Node) plog.SeverityNumber {
	level, ok := number(n)
	switch {
	case !ok:
		return plog.SeverityNumberInfo
	case level <= 1:
		return plog.SeverityNumberInfo
	case level <= 2:
		return plog.SeverityNumberInfo2
	case level <= 3:
		return plog.SeverityNumberWarn
	case level <= 4:
		return plog.SeverityNumberError
	default:
		return plog.SeverityNumberError2
	}
}

// putField writes a documented field, always in the same type, as backends want
// it: text, or for a field that counts a number, whole where it is.
func putField(dst pcommon.Value, n jsonlog.Node, counts bool) {
	if counts {
		if v, ok := number(n); ok {
			if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				dst.SetInt(int64(v))
			} else {
				dst.SetDouble(v)
			}
			return
		}
	}
	if k := n.Kind(); k == jsonlog.Number || k == jsonlog.Bool {
		dst.SetStr(n.Raw())
		return
	}
	n.WriteTo(dst)
}

// absent reports whether a value says nothing: null, "", [] or {}.
func absent(n jsonlog.Node) bool {
	switch n.Kind() {
	case jsonlog.None, jsonlog.Null:
		return true
	case jsonlog.String:
		return n.Str() == ""
	case jsonlog.Array, jsonlog.Object:
		return n.Len() == 0
	default:
		return false
	}
}
