// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"strconv"
	"strings"
)

// sameDecimal reports whether two number literals stand for the same decimal value. 1.50 and 15e-1 do, 0.1 and
// 0.10000000000000001 do not.
func sameDecimal(a, b string) bool {
	x, okX := parseDecimal(a)
	y, okY := parseDecimal(b)
	return okX && okY && x == y
}

// decimal is the value ±0.digits × 10^exponent, where digits has no zero at either end.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// parseDecimal takes a valid literal apart. It fails if the exponent is beyond all use.
func parseDecimal(literal string) (decimal, bool) {
	var d decimal
	literal, d.negative = strings.CutPrefix(literal, "-")
	mantissa := literal
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		mantissa = literal[:i]
		e, err := strconv.Atoi(literal[i+1:])
		if err != nil && strings.Trim(mantissa, "0.") != "" {
			return decimal{}, false
		}
		d.exponent = e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	d.digits = strings.TrimLeft(digits, "0")
	d.exponent += len(whole) - (len(digits) - len(d.digits))
	d.digits = strings.TrimRight(d.digits, "0")
	if d.digits == "" {
		d.exponent = 0
	}
	return d, true
}
