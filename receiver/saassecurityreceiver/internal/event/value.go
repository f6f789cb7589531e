// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// numberOf reads a number, which may have a fraction or be written as text.
func numberOf(n jsonlog.Node) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(n.Scalar()), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// putField writes a documented field, always in the same type, as backends want
// it: text, or for a field that counts a number, whole where it is.
func putField(dst pcommon.Value, n jsonlog.Node, counts bool) {
	if counts {
		if v, ok := numberOf(n); ok {
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
