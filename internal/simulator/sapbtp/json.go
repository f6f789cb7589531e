// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

// object is a JSON object under construction. Records are written by hand and not by encoding/json because a backfill of a
// million of them must not spend its time in the simulator.
type object []byte

// begin opens an object with room for the usual.
func begin() object { return make(object, 0, 256) }

// str adds a member whose value is text.
func (o object) str(name, value string) object {
	return appendText(o.key(name), value)
}

// raw adds a member whose value is JSON already.
func (o object) raw(name, value string) object {
	return append(o.key(name), value...)
}

// flag adds a boolean member.
func (o object) flag(name string, value bool) object {
	if value {
		return o.raw(name, "true")
	}
	return o.raw(name, "false")
}

// obj adds an object as a member.
func (o object) obj(name string, value object) object {
	return append(o.key(name), value.end()...)
}

// list adds an array of objects as a member.
func (o object) list(name string, values ...object) object {
	o = append(o.key(name), '[')
	for i, v := range values {
		if i > 0 {
			o = append(o, ',')
		}
		o = append(o, v.end()...)
	}
	return append(o, ']')
}

// key opens a member.
func (o object) key(name string) object {
	if len(o) == 0 {
		o = append(o, '{')
	} else {
		o = append(o, ',')
	}
	return append(appendText(o, name), ':')
}

// end closes the object.
func (o object) end() object {
	if len(o) == 0 {
		return append(o, "{}"...)
	}
	return append(o, '}')
}

// text is the finished object as a string, for JSON that travels as text inside JSON.
func (o object) text() string { return string(o.end()) }

// escaped is the bytes that JSON does not allow in a string as they are.
var escaped = func() (table [256]bool) {
	for c := range ' ' {
		table[c] = true
	}
	table['"'], table['\\'] = true, true
	return table
}()

// appendText writes a JSON string. Like the API it leaves everything alone that JSON does not demand to escape.
func appendText[T ~[]byte, S ~string | ~[]byte](dst T, s S) T {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !escaped[c] {
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&0xf])
		}
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
