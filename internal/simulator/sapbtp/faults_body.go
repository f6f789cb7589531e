// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"sync"
)

const mebibyte = 1 << 20

func faultTruncate(_ *exchange, f *Fault, r *reply) {
	r.cut = min(f.bytes(int64(len(r.body)/2)), int64(len(r.body)))
}

func faultHalf(_ *exchange, f *Fault, r *reply) {
	r.body = r.body[:min(f.bytes(int64(len(r.body)/2)), int64(len(r.body)))]
	r.length, r.spoiled = int64(len(r.body)), true
}

// blanks gives n blanks without holding them.
func blanks(n int64) io.Reader { return io.LimitReader(endless{}, n) }

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func faultOversize(_ *exchange, f *Fault, r *reply) {
	document := r.body
	r.stream = func() io.Reader { return io.MultiReader(blanks(f.bytes(128*mebibyte)), bytes.NewReader(document)) }
	r.length, r.spoiled = -1, true
}

func acceptsGzip(x *exchange) bool {
	return strings.Contains(x.req.Header.Get("Accept-Encoding"), "gzip")
}

func faultGzip(x *exchange, _ *Fault, r *reply) {
	if acceptsGzip(x) && len(r.body) > 0 {
		r.compress(bytes.NewReader(r.body))
	}
}

// faultBomb answers with a gzip file of many members, which readers take for one. To compress so much text at each answer would
// take far longer than the tests that read it.
func faultBomb(x *exchange, f *Fault, r *reply) {
	if acceptsGzip(x) && len(r.body) > 0 {
		n := f.bytes(128 * mebibyte)
		r.compress(bytes.NewReader(r.body))
		r.body = slices.Concat(bytes.Repeat(compressedBlanks(), int(n/mebibyte)), compressed(blanks(n%mebibyte)), r.body)
		r.length = int64(len(r.body))
		r.spoiled = true
	}
}

var compressedBlanks = sync.OnceValue(func() []byte { return compressed(blanks(mebibyte)) })

func compressed(from io.Reader) []byte {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, err := io.Copy(zip, from)
	must(err) // a buffer takes everything
	must(zip.Close())
	return out.Bytes()
}

func (r *reply) compress(from io.Reader) {
	r.body = compressed(from)
	r.length = int64(len(r.body))
	r.header.Set("Content-Encoding", "gzip")
}

// faultGarbage adds a row that is no record.
func faultGarbage(_ *exchange, f *Fault, r *reply) {
	middle := len(r.page.rows) / 2
	r.page.rows = append(r.page.rows[:middle:middle], append([][]byte{[]byte(f.text("null"))}, r.page.rows[middle:]...)...)
}

func faultUTF8(_ *exchange, _ *Fault, r *reply) { r.page.extend("\"a\xff\xfe\xc3\"") }

func faultDeep(_ *exchange, f *Fault, r *reply) {
	depth := int(f.bytes(20_000))
	r.page.extend(strings.Repeat("[", depth) + strings.Repeat("]", depth))
}

func faultHuge(_ *exchange, f *Fault, r *reply) {
	r.page.extend(`"` + strings.Repeat("x", int(f.bytes(50*mebibyte))) + `"`)
}

// extend adds a member to the first record.
func (p *page) extend(value string) {
	if len(p.rows) == 0 {
		return
	}
	first := bytes.TrimRight(p.rows[0], "}")
	p.rows[0] = append(append(slices.Clip(first), `,"extension":`...), append([]byte(value), p.rows[0][len(first):]...)...)
}
