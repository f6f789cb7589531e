// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Text copies b into a string that every function of this package takes. Bytes that are not UTF-8 become U+FFFD, one
// for each byte, which is what encoding/json makes of them inside strings; anywhere else they stay a syntax error.
func Text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return replaceInvalid(b)
}

// Take is [Text] without the copy: the text is b itself, and so is every string taken from it. Nobody may change b ever
// after. For a large text whose bytes were read for this purpose only, that saves a tenth of the work.
func Take(b []byte) string {
	if utf8.Valid(b) {
		return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // b belongs to the text from now on
	}
	return replaceInvalid(b)
}

func replaceInvalid(b []byte) string {
	var sb strings.Builder
	sb.Grow(len(b) + 2*utf8.UTFMax)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		sb.WriteRune(r)
		b = b[size:]
	}
	return sb.String()
}
