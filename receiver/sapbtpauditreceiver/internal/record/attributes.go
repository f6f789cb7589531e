// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

const (
	// maxAttributes bounds the attributes of a record. Producers choose the names of ids and data freely; what is beyond
	// the bound is in the body only.
	maxAttributes = 128
	// answerAttributes are kept free for the answers.
	answerAttributes = 16
	// maxKey is the longest freely chosen name that becomes part of an attribute's.
	maxKey = 128
	// maxNames bounds the list of changed attributes.
	maxNames = 64
	// maxTwins bounds the attributes whose names collide.
	maxTwins = 9
	// usualAttributes is room for those of nearly all records.
	usualAttributes = 28
)

// attributes fills the attributes of one record.
type attributes struct {
	dst     pcommon.Map
	limit   int
	dropped uint32
}

// attributes gives those of the record that is read, none yet.
func (r *reading) attributes(dst pcommon.Map) *attributes {
	dst.EnsureCapacity(usualAttributes)
	r.attrs = attributes{dst: dst, limit: maxAttributes - answerAttributes}
	return &r.attrs
}

// text adds an attribute unless its value is absent.
func (a *attributes) text(key, value string) {
	if value = present(value); value != "" {
		a.dst.PutStr(key, value)
	}
}

// member adds a member of an object that the producer named, unless its value is absent. Of members with the same name the
// last one counts, as in the body.
func (a *attributes) member(arena *jsonlog.Arena, base, name string, of, n jsonlog.Node) {
	value := present(n.Scalar())
	if value == "" || name == "" || len(name) > maxKey {
		if value != "" && name != "" {
			a.dropped++
		}
		return
	}
	if key := arena.Join(base, name); !a.put(key, value) {
		if isRepeated(of, n) {
			a.dst.PutStr(key, value)
			return
		}
		a.twin(key, value)
	}
}

// free adds an attribute whose name the producer chose, unless its value is absent.
func (a *attributes) free(arena *jsonlog.Arena, base, name, value string) {
	if value = present(value); value == "" || name == "" {
		return
	}
	if len(name) > maxKey {
		a.dropped++
		return
	}
	if key := arena.Join(base, name); !a.put(key, value) {
		a.twin(key, value)
	}
}

// put adds an attribute unless there is one of the name with another value, which it never overwrites; the result is then false.
func (a *attributes) put(key, value string) bool {
	if a.dst.Len() >= a.limit {
		if v, ok := a.dst.Get(key); !ok || v.Str() != value {
			a.dropped++
		}
		return true
	}
	v, existed := a.dst.GetOrPutEmpty(key)
	if existed {
		return v.Type() == pcommon.ValueTypeStr && v.Str() == value
	}
	v.SetStr(value)
	return true
}

// twin adds an attribute whose name is taken under the next one that is free: name_2, name_3, …
func (a *attributes) twin(key, value string) {
	for i := 2; i <= maxTwins; i++ {
		if a.put(key+"_"+strconv.Itoa(i), value) {
			return
		}
	}
	a.dropped++
}

// isRepeated reports whether a member before n has its name.
func isRepeated(of, n jsonlog.Node) bool {
	for m := range of.Children() {
		if m == n {
			return false
		}
		if m.Key() == n.Key() {
			return true
		}
	}
	return false
}
