// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// wideObject is the number of members from which on duplicate names are sought with a Go map: pcommon.Map compares
// every new name with all before it.
const wideObject = 64

// WriteTo sets dst to the value. Null and the zero Node become an empty value; of members with the same name the last
// one counts; numbers keep their digits: an int64 if the number is written as an integer and fits, a float64 if that
// has the same decimal value, else a string.
func (n Node) WriteTo(dst pcommon.Value) {
	switch n.Kind() {
	case String:
		if doc := n.expansion(); doc != nil {
			doc.Root().WriteTo(dst)
			return
		}
		dst.SetStr(n.Str())
	case Number:
		writeNumber(dst, n.Raw())
	case Bool:
		v, _ := n.Bool()
		dst.SetBool(v)
	case Object:
		n.WriteMembers(dst.SetEmptyMap())
	case Array:
		s := dst.SetEmptySlice()
		s.EnsureCapacity(n.Len())
		for child := range n.Children() {
			child.WriteTo(s.AppendEmpty())
		}
	default:
		if dst.Type() != pcommon.ValueTypeEmpty {
			pcommon.NewValueEmpty().MoveTo(dst)
		}
	}
}

// WriteMembers puts the members of an Object into dst in place of what dst holds.
func (n Node) WriteMembers(dst pcommon.Map) {
	dst.Clear()
	if n.Kind() != Object {
		return
	}
	if n.Len() >= wideObject {
		// The only error is a Go type that pcommon does not know, and raw makes none.
		_ = dst.FromRaw(n.rawMembers())
		return
	}
	dst.EnsureCapacity(n.Len())
	for child := range n.Children() {
		if child.Kind() == String && child.expansion() == nil {
			dst.PutStr(child.Key(), child.Str()) // one step less for what is most frequent
			continue
		}
		child.WriteTo(dst.PutEmpty(child.Key()))
	}
}

func (n Node) expansion() *Doc {
	if c := n.node().count; c > 0 && n.node().kind == String {
		return n.d.expanded[c-1]
	}
	return nil
}

// raw is the value in the Go types that pcommon takes.
func (n Node) raw() any {
	switch n.Kind() {
	case Object:
		return n.rawMembers()
	case Array:
		s := make([]any, 0, n.Len())
		for child := range n.Children() {
			s = append(s, child.raw())
		}
		return s
	default:
		v := pcommon.NewValueEmpty()
		n.WriteTo(v)
		return v.AsRaw()
	}
}

func (n Node) rawMembers() map[string]any {
	m := make(map[string]any, n.Len())
	for child := range n.Children() {
		m[child.Key()] = child.raw()
	}
	return m
}

func writeNumber(dst pcommon.Value, literal string) {
	if v, err := strconv.ParseInt(literal, 10, 64); err == nil && literal != "-0" {
		dst.SetInt(v)
		return
	}
	if v, err := strconv.ParseFloat(literal, 64); err == nil {
		if sameDecimal(literal, strconv.FormatFloat(v, 'e', -1, 64)) {
			dst.SetDouble(v)
			return
		}
	}
	dst.SetStr(literal)
}
