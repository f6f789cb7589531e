// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"sync"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// maxDocs bounds how many texts of a record are opened, beside the record itself.
const maxDocs = 16

// reading takes one record apart: the outer record, the message in it, the data in that, and what producers wrap once more.
// Its memory is reused from record to record.
type reading struct {
	arena jsonlog.Arena
	outer jsonlog.Doc
	// docs hold what was opened; the first used of them are in use.
	docs [maxDocs]jsonlog.Doc
	used int

	pairs []pair
	attrs attributes
}

// readings are shared by all mappers; their strings stay valid when they are reused.
var readings = sync.Pool{New: func() any {
	r := new(reading)
	r.outer.Arena = &r.arena
	for i := range r.docs {
		r.docs[i].Arena = &r.arena
	}
	return r
}}

// borrowReading returns a reading; release gives it back.
func borrowReading() *reading {
	return readings.Get().(*reading) //nolint:errcheck // the pool holds nothing else
}

func (r *reading) release() {
	readings.Put(r)
}

// begin makes r ready for the next record.
func (r *reading) begin(ev *event) {
	r.used = 0
	ev.name = eventUnknown
}

// expand opens the JSON object or list that a string holds, so that the body is written with it in place. It is n itself for
// what is no string, and the zero Node for other texts. What is encoded twice is opened too, but stays text in the body.
func (r *reading) expand(n jsonlog.Node) jsonlog.Node {
	if n.Kind() != jsonlog.String {
		return n
	}
	if r.used == maxDocs {
		return jsonlog.Node{}
	}
	if root := n.Expand(&r.docs[r.used]); root.Kind() != jsonlog.None {
		r.used++
		return root
	}
	if raw := n.Raw(); len(raw) < 3 || raw[1] != '\\' || raw[2] != '"' {
		return jsonlog.Node{} // spares most texts the unescaping
	}
	return r.openTwice(n.Str())
}

// open opens the JSON object or list that a text holds, also if it is encoded twice. For other texts the result is the zero Node.
func (r *reading) open(text string) jsonlog.Node {
	i := skipBlanks(text, 0)
	if i == len(text) || r.used == maxDocs {
		return jsonlog.Node{}
	}
	switch text[i] {
	case '"':
		return r.openTwice(text)
	case '{', '[':
		if doc := &r.docs[r.used]; doc.Parse(text) == nil {
			r.used++
			return doc.Root()
		}
	}
	return jsonlog.Node{}
}

// openTwice opens a JSON string that holds a JSON object or list.
func (r *reading) openTwice(text string) jsonlog.Node {
	i := skipBlanks(text, 0)
	if i == len(text) || text[i] != '"' || r.used == maxDocs || r.docs[r.used].Parse(text) != nil {
		return jsonlog.Node{}
	}
	return r.open(r.docs[r.used].Root().Str())
}
