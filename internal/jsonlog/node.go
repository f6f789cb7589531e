// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import (
	"iter"
	"strconv"
)

// Node is one value of a [Doc]; it is valid until the Doc parses the next text. The zero Node has kind [None] and
// answers every question with the zero value, so that look-ups can be chained.
type Node struct {
	d *Doc
	i int
}

func (n Node) node() *node {
	return &n.d.nodes[n.i]
}

// Kind is the type of the value. A container that is kept as text (see [MaxDepth], [MaxNodes]) is a String.
func (n Node) Kind() Kind {
	if n.d == nil {
		return None
	}
	return n.node().kind
}

// Key is the unescaped name of the member that this value belongs to, "" for elements of an array.
func (n Node) Key() string {
	if n.d == nil {
		return ""
	}
	v := n.node()
	key := n.d.text[v.keyStart:v.keyEnd]
	if v.escapedKey {
		return n.d.Arena.unescape(key)
	}
	return key
}

// Str is the unescaped content of a String, "" for every other kind.
func (n Node) Str() string {
	if n.Kind() != String {
		return ""
	}
	v := n.node()
	if v.escaped {
		return n.d.content(v)
	}
	return n.d.text[v.start:v.end]
}

// Scalar is the text of a String, Number or Bool, "" for every other kind.
func (n Node) Scalar() string {
	switch n.Kind() {
	case String:
		return n.Str()
	case Number, Bool:
		return n.Raw()
	default:
		return ""
	}
}

// Bool is the value of a Bool; ok is false for every other kind.
func (n Node) Bool() (value, ok bool) {
	if n.Kind() != Bool {
		return false, false
	}
	return n.d.text[n.node().start] == 't', true
}

// Int is the value of a Number that is written as an integer and fits; ok is false for everything else.
func (n Node) Int() (value int64, ok bool) {
	if n.Kind() != Number {
		return 0, false
	}
	value, err := strconv.ParseInt(n.Raw(), 10, 64)
	return value, err == nil
}

// Raw is the value as it stands in the text, a String with its quotes.
func (n Node) Raw() string {
	if n.d == nil {
		return ""
	}
	v := n.node()
	if v.kind == String && !v.verbatim {
		return n.d.text[v.start-1 : v.end+1]
	}
	return n.d.text[v.start:v.end]
}

// Known says where the String n stands in the text of the container that holds it, for [Doc.ParseAgain] with its Raw. It is
// zero for every other kind.
func (n Node) Known(container Node) Known {
	if n.Kind() != String || n.node().verbatim {
		return Known{}
	}
	v, from := n.node(), container.node().start
	return Known{start: v.start - from, end: v.end - from, escaped: v.escaped}
}

// Len counts the members of an Object, duplicates included, or the elements of an Array.
func (n Node) Len() int {
	if k := n.Kind(); k != Object && k != Array {
		return 0
	}
	return n.node().count
}

// Children yields the members of an Object or the elements of an Array in the order of the text.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if k := n.Kind(); k != Object && k != Array {
			return
		}
		for i, end := n.i+1, n.node().next; i < end; i = n.d.nodes[i].next {
			if !yield(Node{d: n.d, i: i}) {
				return
			}
		}
	}
}

// Get is the member of an Object with the given name; if there are several, the last one, as in encoding/json. It is
// the zero Node if there is none.
func (n Node) Get(key string) Node {
	var found Node
	if n.Kind() == Object {
		for child := range n.Children() {
			if child.Key() == key {
				found = child
			}
		}
	}
	return found
}

// Expand parses the content of a String that holds a JSON object or array into doc and returns its root. From then on
// n is written by WriteTo as that value instead of as a string. If the content is anything else, broken JSON or beyond
// [MaxDepth], n stays the string that it is and the result is the zero Node. doc must not be in use.
func (n Node) Expand(doc *Doc) Node {
	if n.Kind() != String || n.node().verbatim || doc == n.d || n.node().depth >= MaxDepth {
		return Node{}
	}
	if !holdsContainer(n.d.text[n.node().start:n.node().end]) {
		return Node{}
	}
	doc.reset(n.Str(), n.node().depth)
	if !doc.whole() {
		return Node{}
	}
	if k := doc.Root().Kind(); k != Object && k != Array {
		return Node{}
	}
	n.d.expanded = append(n.d.expanded, doc)
	n.node().count = len(n.d.expanded)
	return doc.Root()
}

// holdsContainer guesses from the inside of a string, still escaped, whether it can be an object or array, so that plain
// text need not be unescaped and parsed to find out.
func holdsContainer(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\r', '\n':
		case '{', '[', '\\':
			return true
		default:
			return false
		}
	}
	return false
}
