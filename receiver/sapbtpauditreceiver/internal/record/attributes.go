// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

const (
	// maxAttributes bounds the attributes of a record. Producers choose the names of ids and data freely; what is beyond
	// the bound is in the body only.
	maxAttributes = 128
	// maxKey is the longest freely chosen name that becomes part of an attribute's.
	maxKey = 128
	// maxNames bounds the list of changed attributes.
	maxNames = 64
	// usualAttributes is room for those of nearly all records.
	usualAttributes = 22
)

// attributes fills the attributes of one record.
type attributes struct {
	dst     pcommon.Map
	dropped uint32
}

func newAttributes(dst pcommon.Map) attributes {
	dst.EnsureCapacity(usualAttributes)
	return attributes{dst: dst}
}

// text adds an attribute unless its value is absent.
func (a *attributes) text(key, value string) {
	if value = present(value); value != "" {
		a.dst.PutStr(key, value)
	}
}

// free adds an attribute whose name the producer chose, unless its value is absent.
func (a *attributes) free(arena *jsonlog.Arena, base, name, value string) {
	if name == "" || present(value) == "" {
		return
	}
	if a.dst.Len() >= maxAttributes || len(name) > maxKey {
		a.dropped++
		return
	}
	a.dst.PutStr(arena.Join(base, name), value)
}
