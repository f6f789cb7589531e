// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

// Walker goes through a JSON text from value to value and keeps nothing of it, however large the text is. It accepts what
// encoding/json accepts, and strings with bytes that are not UTF-8. Its methods take the offset at which something begins
// and return the one behind it, or -1 if the text is wrong, which Err explains.
type Walker struct {
	scanner
	open  nesting
	arena Arena
}

// NewWalker returns a Walker for a text that nobody changes.
func NewWalker(text string) *Walker { return &Walker{scanner: scanner{text: text}} }

// Err says why the last method returned -1.
func (w *Walker) Err() *SyntaxError { return w.err }

// EndsEarly reports whether the text was right as far as it goes when the last method returned -1.
func (w *Walker) EndsEarly() bool {
	rest := w.text[min(w.err.Offset, len(w.text)):]
	if rest == "" {
		return true
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if len(rest) < len(word) && rest == word[:len(rest)] {
			return true
		}
	}
	return false
}

// Blanks skips what may stand between values.
func (w *Walker) Blanks(i int) int { return w.space(i) }

// Skip takes the value at i. depth counts the containers around it.
func (w *Walker) Skip(i, depth int) int {
	w.open.depth = 0
	return w.skipWith(i, depth, &w.open)
}

// Object takes the object at i. Each of its members is taken by member, which is given its name, the same as it is
// written, with quotes, and where its value begins, and returns where that ends. The Walker can be used meanwhile.
func (w *Walker) Object(i int, member func(name, written string, at int) int) int {
	i = w.space(i + 1)
	if i < len(w.text) && w.text[i] == '}' {
		return i + 1
	}
	for {
		start := i
		next, end, escaped := w.name(i)
		if next < 0 {
			return next
		}
		name := w.text[start+1 : end]
		if escaped {
			name = w.arena.unescape(name)
		}
		if i = member(name, w.text[start:end+1], next); i < 0 {
			return i
		}
		if i = w.space(i); i < len(w.text) && w.text[i] == '}' {
			return i + 1
		}
		if i >= len(w.text) || w.text[i] != ',' {
			return w.fail(i, "comma or closing bracket expected")
		}
		i = w.space(i + 1)
	}
}

// Array takes the array at i, likewise.
func (w *Walker) Array(i int, element func(at int) int) int {
	i = w.space(i + 1)
	if i < len(w.text) && w.text[i] == ']' {
		return i + 1
	}
	for {
		if i = element(i); i < 0 {
			return i
		}
		if i = w.space(i); i < len(w.text) && w.text[i] == ']' {
			return i + 1
		}
		if i >= len(w.text) || w.text[i] != ',' {
			return w.fail(i, "comma or closing bracket expected")
		}
		i = w.space(i + 1)
	}
}

// Unquote is the content of the string from start to end, its quotes included.
func (w *Walker) Unquote(start, end int) string {
	return w.arena.unescape(w.text[start+1 : end-1])
}
