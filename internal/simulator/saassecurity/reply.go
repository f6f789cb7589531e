// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Shape of the JSON around the events of a reply.
type Shape int

// Shapes that readers of the API have met or provided for.
const (
	ShapeObject Shape = iota // {"events":[…]}
	ShapeList                // […]
	ShapeSingle              // one event without anything around it
	ShapeMixed               // any of them, by lot
)

// Empty is the shape of a reply when nothing is queued.
type Empty int

// Shapes of an empty reply.
const (
	EmptyStatus Empty = iota // 204
	EmptyEvents              // 200 {"events":[]}
	EmptyList                // 200 []
	EmptyBody                // 200 without a body
	EmptyMixed               // any of them, by lot
)

// garbage begins like a reply.
const garbage = `{"events":[{"log_type":"activity_monitoring","item_name":` + "\x00\xff\xfe}}"

// reply with events, and where each event ends in its body.
type reply struct {
	body []byte
	ends []int
	gzip bool
}

func (s *Simulator) shape(path string) Shape {
	if path == pathSingle {
		return ShapeSingle
	}
	if s.opts.Shape != ShapeMixed {
		return s.opts.Shape
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return Shape(s.random.IntN(int(ShapeMixed)))
}

// compose builds the genuine reply.
func (s *Simulator) compose(shape Shape, numbers []int64) *reply {
	before, after := "", ""
	switch shape {
	case ShapeObject:
		before, after = `{"events":[`, `]}`
	case ShapeList:
		before, after = `[`, `]`
	}
	rep := &reply{body: []byte(before)}
	for i, number := range numbers {
		if i > 0 {
			rep.body = append(rep.body, ',')
		}
		rep.body = append(rep.body, s.eventBytes(number)...)
		rep.ends = append(rep.ends, len(rep.body))
	}
	rep.body = append(rep.body, after...)
	return rep
}

// eventBytes generates outside the lock, as that is the bulk of the work.
func (s *Simulator) eventBytes(number int64) []byte {
	s.mu.Lock()
	raw, given := s.queue.raw[number]
	at := s.queue.events[number-1].at
	s.mu.Unlock()
	if given {
		return raw
	}
	return s.queue.generator.event(number, at)
}

// spoil changes the document as the fault says.
func (rep *reply) spoil(f Fault, gzipAccepted bool) {
	switch f.Document {
	case Half:
		rep.body = rep.body[:len(rep.body)/2]
		rep.ends = rep.ends[:rep.whole(len(rep.body))]
	case Garbage:
		rep.body, rep.ends = []byte(garbage), nil
	}
	if missing := f.Oversize - len(rep.body); missing > 0 && len(rep.body) > 0 {
		last := rep.body[len(rep.body)-1]
		rep.body = append(rep.body[:len(rep.body)-1], bytes.Repeat([]byte(" "), missing)...)
		rep.body = append(rep.body, last)
	}
	if f.Gzip && gzipAccepted {
		rep.compress()
	}
}

// compress leaves no event readable before the end of the body.
func (rep *reply) compress() {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(rep.body) // a buffer takes everything
	_ = z.Close()
	rep.body, rep.gzip = out.Bytes(), true
	for i := range rep.ends {
		rep.ends[i] = len(rep.body)
	}
}

// end is the length of the body that is sent.
func (rep *reply) end(f Fault, s *Simulator) int {
	switch f.Truncate {
	case 0:
		return len(rep.body)
	case HeadersOnly:
		return 0
	case AtRandom:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.random.IntN(max(1, len(rep.body)))
	}
	return min(f.Truncate, len(rep.body))
}

// whole is the number of events that are complete in the first n bytes.
func (rep *reply) whole(n int) int {
	return sort.SearchInts(rep.ends, n+1)
}

// write sends the first end bytes of the reply and reports whether the
// connection took them.
func (rep *reply) write(w http.ResponseWriter, r *http.Request, f Fault, end int) bool {
	setHeaders(w)
	if rep.gzip {
		w.Header().Set("Content-Encoding", "gzip")
	}
	if !f.Chunked {
		w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	}
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	send := func(b []byte) bool {
		_, err := w.Write(b)
		return err == nil && control.Flush() == nil
	}
	middle := end / 2
	return send(rep.body[:middle]) && sleep(r.Context(), f.Stall) && send(rep.body[middle:end])
}

func acceptsGzip(r *http.Request) bool {
	return slices.ContainsFunc(r.Header.Values("Accept-Encoding"), func(v string) bool { return strings.Contains(v, "gzip") })
}
