// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package jsonlog

// skip reads the value at i, whatever it holds, without recursion and without keeping anything of it. depth counts the
// containers around it.
func (s *scanner) skip(i, depth int) int {
	var open nesting
	return s.skipWith(i, depth, &open)
}

// skipWith is skip with the memory for what is open.
func (s *scanner) skipWith(i, depth int, open *nesting) int {
	for {
		i = s.space(i)
		switch {
		case i < len(s.text) && (s.text[i] == '{' || s.text[i] == '['):
			if depth+open.depth >= stdDepth {
				return s.fail(i, "nested too deeply")
			}
			object := s.text[i] == '{'
			i = s.space(i + 1)
			open.push(object)
			if i < len(s.text) && s.text[i] == closer(object) {
				break
			}
			if object {
				if i, _, _ = s.name(i); i < 0 {
					return i
				}
			}
			continue
		default:
			if i = s.scalar(i); i < 0 {
				return i
			}
		}
		if i = s.unwind(i, open); i < 0 || open.depth == 0 {
			return i
		}
	}
}

// unwind closes the containers that end behind a value and goes on to the next value, if there is one.
func (s *scanner) unwind(i int, open *nesting) int {
	for open.depth > 0 {
		i = s.space(i)
		object := open.top()
		switch {
		case i < len(s.text) && s.text[i] == closer(object):
			open.pop()
			i++
		case i < len(s.text) && s.text[i] == ',':
			i = s.space(i + 1)
			if object {
				i, _, _ = s.name(i)
			}
			return i
		default:
			return s.fail(i, "comma or closing bracket expected")
		}
	}
	return i
}

func closer(object bool) byte {
	if object {
		return '}'
	}
	return ']'
}

// nesting remembers for every open container whether it is an object, one bit each.
type nesting struct {
	bits  []uint64
	depth int
}

func (n *nesting) push(object bool) {
	if n.depth%64 == 0 {
		n.bits = append(n.bits[:n.depth/64], 0)
	}
	if object {
		n.bits[n.depth/64] |= 1 << (n.depth % 64)
	}
	n.depth++
}

func (n *nesting) top() bool {
	return n.bits[(n.depth-1)/64]>>((n.depth-1)%64)&1 == 1
}

func (n *nesting) pop() {
	n.depth--
	n.bits[n.depth/64] &^= 1 << (n.depth % 64)
}
