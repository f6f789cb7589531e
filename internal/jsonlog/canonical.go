// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// AppendCanonical appends a form of the value that does not depend on the order of members or on blanks between them:
// members stand in the order of their names, numbers and strings as they stand in the text, and what is kept as text
// (see [MaxDepth], [MaxNodes]) too. Two values have the same form only if they are equal. The members of n itself that
// are called without are left out.
//
// It is made to be hashed, not to be read: the names are unescaped and have their lengths in front of them.
func (n Node) AppendCanonical(dst []byte, without string) []byte {
	if n.d == nil {
		return dst
	}
	return n.d.appendCanonical(dst, n.i, without, without != "")
}

func (d *Doc) appendCanonical(dst []byte, i int, without string, leaveOut bool) []byte {
	n := Node{d: d, i: i}
	switch n.Kind() {
	case Object:
		dst = append(dst, '{')
		base := len(d.order)
		for child := range n.Children() {
			if name := child.Key(); !leaveOut || name != without {
				d.order = append(d.order, ordered{prefix: namePrefix(name), index: child.i})
			}
		}
		d.sortByName(d.order[base:])
		for k, end := base, len(d.order); k < end; k++ {
			child := d.order[k].index
			name := Node{d: d, i: child}.Key()
			dst = binary.AppendUvarint(dst, uint64(len(name)))
			dst = append(dst, name...)
			dst = d.appendCanonical(dst, child, "", false)
			dst = append(dst, ',')
		}
		d.order = d.order[:base]
		return append(dst, '}')
	case Array:
		dst = append(dst, '[')
		for child := range n.Children() {
			dst = d.appendCanonical(dst, child.i, "", false)
			dst = append(dst, ',')
		}
		return append(dst, ']')
	default:
		return append(dst, n.Raw()...)
	}
}

// ordered is a member to be sorted. The first bytes of the name decide nearly always, and comparing them is a single
// instruction.
type ordered struct {
	prefix uint64
	index  int
}

func namePrefix(name string) uint64 {
	var b [8]byte
	copy(b[:], name)
	return binary.BigEndian.Uint64(b[:])
}

// sortByName is stable, because of members with the same name the last one counts. It is an insertion sort as long as
// that is the faster one.
func (d *Doc) sortByName(members []ordered) {
	less := func(a, b ordered) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return cmp.Compare(Node{d: d, i: a.index}.Key(), Node{d: d, i: b.index}.Key())
	}
	if len(members) > 32 {
		slices.SortStableFunc(members, less)
		return
	}
	for i := 1; i < len(members); i++ {
		m := members[i]
		j := i
		for ; j > 0 && (members[j-1].prefix > m.prefix || members[j-1].prefix == m.prefix && less(members[j-1], m) > 0); j-- {
			members[j] = members[j-1]
		}
		members[j] = m
	}
}
