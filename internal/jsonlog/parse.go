// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

import "iter"

const (
	// MaxDepth is how deep objects and arrays may nest, strings opened by [Node.Expand] included; what lies deeper is
	// kept as text. One level of JSON is three nested messages of OTLP's protobuf and four levels of its JSON form,
	// whose common readers stop at 100 and then refuse the whole export.
	MaxDepth = 20
	// MaxNodes is how many values one Doc takes apart; a container that exceeds it is kept as text. A value costs about
	// ten times its text in memory, so that this bounds what a hostile text can make of itself.
	MaxNodes = 1 << 16
)

// Kind is the type of a JSON value.
type Kind uint8

// The kinds of a [Node]. None is the kind of a Node that is not there.
const (
	None Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// Doc is a parsed JSON text. It holds positions in the text, not copies of it, and is made to be reused: the zero value
// is ready, and every Parse overwrites the last. Strings taken out of it stay valid. Not safe for concurrent use.
type Doc struct {
	// Arena holds the unescaped strings. Several Docs may share one; nil means that the Doc makes its own.
	Arena *Arena

	scanner
	nodes    []node
	expanded []*Doc
	plain    []string  // strings that were unescaped
	order    []ordered // members being sorted
	full     bool      // MaxNodes was too few
	base     int       // nesting depth of the string that holds this text, in the outermost text
}

// node is one value. Those inside of a container follow it directly.
type node struct {
	keyStart, keyEnd int // member name without its quotes
	start, end       int // strings without their quotes
	next             int // index of the node behind this one and all that it holds
	count            int // elements or members; of a string: index+1 in Doc.expanded
	plain            int // of a string: index+1 in Doc.plain
	depth            int // containers around it
	kind             Kind
	escapedKey       bool
	escaped          bool // a string with escape sequences
	verbatim         bool // a container that is kept as text
}

// Parse reads text, which must come from [Text] or from another Node and hold exactly one JSON value. The error is a
// *[SyntaxError].
func (d *Doc) Parse(text string) error {
	d.reset(text, 0)
	if d.whole() {
		return nil
	}
	return d.err
}

// ParseAgain is [Doc.Parse] for a text that was parsed before, and spares reading the string that is known of it.
func (d *Doc) ParseAgain(text string, known Known) error {
	d.reset(text, 0)
	if known.start > 0 && known.end < len(text) {
		d.known = known
	}
	if d.whole() {
		return nil
	}
	return d.err
}

// Root is the value that the text holds, or a Node of kind None before the first Parse and after one that failed.
func (d *Doc) Root() Node {
	if len(d.nodes) == 0 {
		return Node{}
	}
	return Node{d: d}
}

// Full reports whether a container was kept as text because of [MaxNodes]. If that is the outermost one, Root is a String.
func (d *Doc) Full() bool { return d.full }

// Elements parses the array in text one element at a time, each into doc in place of the one before, and yields the
// element's root. If text is not exactly one array, the last thing it yields is a *[SyntaxError]; the elements before
// it were whole.
func Elements(text string, doc *Doc) iter.Seq2[Node, error] {
	return func(yield func(Node, error) bool) {
		doc.reset(text, -1) // the array itself is no part of what is made of its elements
		i := doc.space(0)
		if i < len(text) && text[i] == '[' {
			i = doc.space(i + 1)
		} else {
			i = doc.fail(i, "array expected")
		}
		empty := i >= 0 && i < len(text) && text[i] == ']'
		for i >= 0 && !empty {
			doc.clear()
			if i = doc.root(i, 1); i < 0 {
				break
			}
			if !yield(doc.Root(), nil) {
				return
			}
			i = doc.space(i)
			if i < len(text) && text[i] == ']' {
				break
			}
			if i >= len(text) || text[i] != ',' {
				i = doc.fail(i, "comma or closing bracket expected")
				break
			}
			i = doc.space(i + 1)
		}
		if i >= 0 {
			i = doc.tail(i + 1)
		}
		if i < 0 {
			err := doc.err
			doc.reset("", 0)
			yield(Node{}, err)
		}
	}
}

func (d *Doc) reset(text string, base int) {
	d.text, d.err, d.known, d.base = text, nil, Known{}, base
	d.clear()
	if d.Arena == nil {
		d.Arena = new(Arena)
	}
}

// clear forgets all values.
func (d *Doc) clear() {
	d.nodes, d.expanded, d.plain, d.full = d.nodes[:0], d.expanded[:0], d.plain[:0], false
}

// content is that of a string with escape sequences, which are resolved once.
func (d *Doc) content(v *node) string {
	if v.plain == 0 {
		d.plain = append(d.plain, d.Arena.unescape(d.text[v.start:v.end]))
		v.plain = len(d.plain)
	}
	return d.plain[v.plain-1]
}

// whole parses the text set by reset. After a failure no node is left.
func (d *Doc) whole() bool {
	i := d.root(d.space(0), 0)
	if i >= 0 {
		i = d.tail(i)
	}
	if i < 0 {
		d.nodes = d.nodes[:0]
	}
	return i >= 0
}

// tail makes sure that nothing but blanks follows.
func (d *Doc) tail(i int) int {
	if i = d.space(i); i < len(d.text) {
		return d.fail(i, "more text behind the value")
	}
	return i
}

// root parses the value at i as the only one in nodes. outside counts the containers around it.
func (d *Doc) root(i, outside int) int {
	d.nodes = append(d.nodes, node{})
	if i = d.value(i, 0, outside); i < 0 {
		d.nodes = d.nodes[:0]
	}
	return i
}

// value parses the value at i into the node self, which exists and may have its key set. outside counts the containers
// around it in this text.
func (d *Doc) value(i, self, outside int) int {
	n := &d.nodes[self]
	n.start = i
	n.depth = d.base + outside
	n.next = self + 1
	if i < len(d.text) {
		switch c := d.text[i]; c {
		case '"':
			end, escaped := d.str(i + 1)
			if end < 0 {
				return end
			}
			n.kind, n.escaped = String, escaped
			n.start, n.end = i+1, end
			return end + 1
		case '{', '[':
			return d.container(i, self, outside)
		case 't', 'f':
			n.kind = Bool
		case 'n':
			n.kind = Null
		default:
			n.kind = Number
		}
	}
	end := d.scalar(i)
	if end >= 0 {
		n.end = end
	}
	return end
}

// container parses an object or array, as text if it is beyond one of the limits.
func (d *Doc) container(start, self, outside int) int {
	if d.base+outside >= MaxDepth {
		return d.asText(start, self, outside)
	}
	object := d.text[start] == '{'
	i := d.space(start + 1)
	count := 0
	for more := i >= len(d.text) || d.text[i] != closer(object); more; {
		if len(d.nodes) >= MaxNodes {
			d.full = true
			return d.asText(start, self, outside)
		}
		child := len(d.nodes)
		d.nodes = append(d.nodes, node{})
		if object {
			keyStart := i + 1
			next, end, escaped := d.name(i)
			if next < 0 {
				return next
			}
			n := &d.nodes[child]
			n.keyStart, n.keyEnd, n.escapedKey = keyStart, end, escaped
			i = next
		}
		if i = d.value(i, child, outside+1); i < 0 {
			return i
		}
		count++
		i = d.space(i)
		switch {
		case i < len(d.text) && d.text[i] == ',':
			i = d.space(i + 1)
		case i < len(d.text) && d.text[i] == closer(object):
			more = false
		default:
			return d.fail(i, "comma or closing bracket expected")
		}
	}
	n := &d.nodes[self]
	n.kind = Array
	if object {
		n.kind = Object
	}
	n.count, n.end, n.next = count, i+1, len(d.nodes)
	return i + 1
}

// asText makes one string of the container at start, and forgets what was already taken apart of it.
func (d *Doc) asText(start, self, outside int) int {
	d.nodes = d.nodes[:self+1]
	i := d.skip(start, outside)
	if i >= 0 {
		n := &d.nodes[self]
		n.kind, n.verbatim, n.end, n.next = String, true, i, self+1
	}
	return i
}
