// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import "strconv"

// SyntaxError says where a text stops being JSON. It never holds any of the text.
type SyntaxError struct {
	// Offset is the position in bytes at which the text is wrong or ends too early.
	Offset int
	what   string
}

func (e *SyntaxError) Error() string {
	return "invalid JSON: " + e.what + " at offset " + strconv.Itoa(e.Offset)
}
