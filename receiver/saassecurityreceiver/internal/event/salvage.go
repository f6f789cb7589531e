// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// salvage does the work of Decode value by value, at several times the cost,
// and gets as far as the reply is whole. Bytes that are not UTF-8 stay as they
// are.
func salvage(body []byte) *Reply {
	s := &salvager{body: body, dec: json.NewDecoder(bytes.NewReader(body)), reply: &Reply{}}
	s.dec.UseNumber() // no number is too large
	first, err := s.dec.Token()
	if err == nil {
		switch first {
		case json.Delim('['):
			s.listed = true
			err = s.list()
		case json.Delim('{'):
			err = s.object()
		default:
			return &Reply{Problem: Problem{Reason: NotEvents, Rest: body}}
		}
	}
	if err == nil {
		return s.complete()
	}
	p := Problem{Reason: NotJSON, Rest: body}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		p.Reason = Truncated
	}
	if s.single || !s.listed {
		return &Reply{Problem: p}
	}
	s.reply.addBeside(s.beside.event(false))
	if s.reply.len > 0 {
		p.Rest = body[s.end:]
	}
	s.reply.Problem = p
	return s.reply
}

type salvager struct {
	body   []byte
	dec    *json.Decoder
	reply  *Reply
	beside besides
	any    bool            // there are members beside
	text   json.RawMessage // of the last value, overwritten by the next
	listed bool            // there is a list of events
	single bool            // the document itself is an event
	end    int64           // offset behind the last complete value
}

// list reads the elements of a list whose bracket is behind the decoder.
func (s *salvager) list() error {
	start := s.dec.InputOffset()
	found := 0
	defer func() {
		if found > 0 {
			s.reply.add(list{text: string(s.body[start:s.end]), events: found})
		}
	}()
	for s.dec.More() {
		if err := s.value(); err != nil {
			return err
		}
		found++
	}
	return s.token()
}

// object reads the members of an object whose brace is behind the decoder.
func (s *salvager) object() error {
	for s.dec.More() {
		if err := s.member(); err != nil {
			return err
		}
	}
	return s.token()
}

func (s *salvager) member() error {
	before := s.dec.InputOffset()
	name, err := s.dec.Token()
	if err != nil {
		return err
	}
	// The name as it came: the decoder replaces what is not UTF-8.
	key := bytes.TrimLeft(s.body[before:s.dec.InputOffset()], blanks+",")
	if name == keyEvents && s.opensList() {
		if err = s.token(); err == nil {
			s.listed = true
			err = s.list()
		}
		return err
	}
	err = s.value()
	switch {
	case err != nil:
		return err
	case name == keyEvents && string(s.text) == "null":
		s.listed = true
	default:
		s.single = s.single || name == keyLogType
		s.any = true
		s.beside.add(string(key), string(s.text))
	}
	return nil
}

// opensList reports whether the value of the member just named is a list.
func (s *salvager) opensList() bool {
	behind := bytes.TrimLeft(s.body[s.dec.InputOffset():], blanks+":")
	return len(behind) > 0 && behind[0] == '['
}

func (s *salvager) value() error {
	err := s.dec.Decode(&s.text)
	if err == nil {
		s.end = s.dec.InputOffset()
	}
	return err
}

func (s *salvager) token() error {
	_, err := s.dec.Token()
	if err == nil {
		s.end = s.dec.InputOffset()
	}
	return err
}

// complete returns the events of a document that was read to its end.
func (s *salvager) complete() *Reply {
	r := s.reply
	if s.single || (!s.listed && s.any) {
		r = alone(string(bytes.Trim(s.body[:s.end], blanks)))
	} else {
		r.addBeside(s.beside.event(r.len == 0))
	}
	if len(bytes.Trim(s.body[s.end:], blanks)) > 0 {
		r.Problem = Problem{Reason: TrailingData, Rest: s.body[s.end:]}
	}
	return r
}
