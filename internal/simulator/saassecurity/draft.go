// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// draft of an event: its fields, and the lots that decide them.
type draft struct {
	*rand.Rand

	marker string
	at     time.Time
	bare   bool // everything is null that can be
	fields []field
}

type field struct{ key, json string }

func (d *draft) raw(key, text string) { d.fields = append(d.fields, field{key, text}) }

func (d *draft) str(key, value string) { d.raw(key, quote(value)) }

// nullable is null in so many of a hundred cases.
func (d *draft) nullable(key, value string, percent int) { d.rawNullable(key, quote(value), percent) }

func (d *draft) rawNullable(key, text string, percent int) {
	if d.IntN(100) < percent || d.bare {
		text = "null"
	}
	d.raw(key, text)
}

// severity as whole number, as fraction, null or absent.
func (d *draft) severity() {
	n, form := strconv.Itoa(d.IntN(6)), d.IntN(10)
	if d.bare {
		form = 0
	}
	switch form {
	case 0:
		d.raw("severity", "null")
	case 1:
	case 2, 3, 4, 5:
		d.raw("severity", n+".0")
	default:
		d.raw("severity", n)
	}
}

// timestamp in every form that was ever seen, and some that were not.
func (d *draft) timestamp() {
	const millis = "2006-01-02T15:04:05.000Z"
	switch p := d.IntN(100); {
	case d.bare:
		d.raw("timestamp", "null")
	case p < 60:
		d.str("timestamp", d.at.Format(millis))
	case p < 94:
		d.str("timestamp", d.at.Format(time.RFC3339))
	case p < 96:
		d.str("timestamp", d.at.Format(millis)+" ")
	case p < 98:
		d.str("timestamp", d.at.Format(time.DateTime))
	case p < 99:
		d.raw("timestamp", "null")
	default:
		d.str("timestamp", "yesterday")
	}
}

func (d *draft) itemName() string { return fmt.Sprintf(pick(d, fileNames...), d.marker) }

func (d *draft) address() string {
	if d.IntN(5) == 0 {
		return fmt.Sprintf("2001:db8::%x", 1+d.IntN(0xffff))
	}
	return fmt.Sprintf("198.51.100.%d", 1+d.IntN(254))
}

// count as whole number or as fraction.
func (d *draft) count(most int) string {
	n := d.IntN(most)
	if n%5 == 0 {
		return strconv.Itoa(n) + ".0"
	}
	return strconv.Itoa(n)
}

func (d *draft) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[d.IntN(len(digits))]
	}
	return string(b)
}

// encode writes the fields in any order, as the API does.
func (d *draft) encode() []byte {
	d.Shuffle(len(d.fields), func(i, j int) { d.fields[i], d.fields[j] = d.fields[j], d.fields[i] })
	b := make([]byte, 0, 640)
	for i, f := range d.fields {
		b = append(b, "{,"[min(i, 1)], '"')
		b = append(b, f.key...)
		b = append(b, '"', ':')
		b = append(b, f.json...)
	}
	return append(b, '}')
}

func pick[T any](d *draft, choices ...T) T { return choices[d.IntN(len(choices))] }

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return string(b)
}
