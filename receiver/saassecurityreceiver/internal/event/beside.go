// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "strings"

// besides makes an object of what stands beside the lists of an envelope.
type besides struct {
	text strings.Builder
	rich bool // one is more than a plain value
	says bool // one says something
}

// add takes a member: its name as it is written, and its value.
func (b *besides) add(written, value string) {
	b.rich = b.rich || isContainer(value[0])
	b.says = b.says || says(value)
	b.member(written)
	b.text.WriteString(value)
}

// nest takes what stood beside the lists of a member.
func (b *besides) nest(written string, inner *besides) {
	if inner.text.Len() == 0 {
		return
	}
	b.rich, b.says = b.rich || inner.rich, b.says || inner.says
	b.member(written)
	b.text.WriteString(inner.object())
}

func (b *besides) member(written string) {
	if b.text.Len() == 0 {
		b.text.WriteByte('{')
	} else {
		b.text.WriteByte(',')
	}
	b.text.WriteString(written)
	b.text.WriteByte(':')
}

func (b *besides) object() string { return b.text.String() + "}" }

// says is false for the values of members that mean nothing.
func says(value string) bool {
	switch value {
	case "null", "true", "false", "0", `""`:
		return false
	}
	return true
}
