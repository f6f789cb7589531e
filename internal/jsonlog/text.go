// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"strings"
	"unicode/utf8"
)

// Text copies b into a string that every function of this package takes. Bytes that are not UTF-8 become U+FFFD, one
// for each byte, which is what encoding/json makes of them inside strings; anywhere else they stay a syntax error.
func Text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var sb strings.Builder
	sb.Grow(len(b) + 2*utf8.UTFMax)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		sb.WriteRune(r)
		b = b[size:]
	}
	return sb.String()
}
