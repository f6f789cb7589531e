// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonlog reads JSON that a vendor sent and writes it into log records.
//
// It accepts exactly what encoding/json accepts and sees the same values, at a fraction of the cost: one pass over the
// text, strings that need no unescaping are parts of the text itself, the others share one [Arena], and the values go
// straight into pcommon. The standard library is the judge: FuzzAgainstStandardLibrary compares the two.
//
// The usual way through the package:
//
//	text := jsonlog.Text(body)          // valid UTF-8, a copy: body may be reused
//	var doc jsonlog.Doc                 // reuse it from text to text
//	if err := doc.Parse(text); err != nil { … }
//	doc.Root().Get("user").Str()        // read single fields
//	doc.Root().WriteTo(record.Body())   // or hand over the whole value
//
// [Elements] walks a large array one element at a time and keeps what came before a break. [Node.Expand] opens JSON
// that is wrapped in a string.
//
// Three limits keep hostile input harmless; what exceeds them is kept as text, never dropped: containers nested deeper
// than [MaxDepth], containers with more than [MaxNodes] values, and numbers that neither an int64 nor a float64 can hold
// exactly.
package jsonlog
