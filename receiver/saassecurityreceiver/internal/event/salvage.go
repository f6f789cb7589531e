// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// salvage does the work of Decode value by value, at several times the cost,
// and gets as far as the reply is whole.
func salvage(body []byte) ([]Raw, Problem) {
	s := &salvager{body: body, dec: json.NewDecoder(bytes.NewReader(body))}
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
			return nil, Problem{Reason: NotEvents, Rest: body}
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
		return nil, p
	}
	if events := appendBeside(s.events, s.beside, false); len(events) > 0 {
		p.Rest = body[s.end:]
		return events, p
	}
	return nil, p
}

type salvager struct {
	body   []byte
	dec    *json.Decoder
	events []Raw
	beside []member
	listed bool  // there is a list of events
	single bool  // the document itself is an event
	end    int64 // offset behind the last complete value
}

// list reads the elements of a list whose bracket is behind the decoder.
func (s *salvager) list() error {
	for s.dec.More() {
		text, err := s.value()
		if err != nil {
			return err
		}
		s.events = append(s.events, Raw(text))
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
	name, err := s.dec.Token()
	if err != nil {
		return err
	}
	if name == keyEvents && s.opensList() {
		if err = s.token(); err == nil {
			s.listed = true
			err = s.list()
		}
		return err
	}
	text, err := s.value()
	switch {
	case err != nil:
		return err
	case name == keyEvents && text == "null":
		s.listed = true
	default:
		s.single = s.single || name == keyLogType
		key, _ := name.(string)
		s.beside = append(s.beside, member{key, text})
	}
	return nil
}

// opensList reports whether the value of the member just named is a list.
func (s *salvager) opensList() bool {
	behind := bytes.TrimLeft(s.body[s.dec.InputOffset():], blanks+":")
	return len(behind) > 0 && behind[0] == '['
}

func (s *salvager) value() (string, error) {
	var text json.RawMessage
	if err := s.dec.Decode(&text); err != nil {
		return "", err
	}
	s.end = s.dec.InputOffset()
	return jsonlog.Text(text), nil
}

func (s *salvager) token() error {
	_, err := s.dec.Token()
	if err == nil {
		s.end = s.dec.InputOffset()
	}
	return err
}

// complete returns the events of a document that was read to its end.
func (s *salvager) complete() ([]Raw, Problem) {
	events := appendBeside(s.events, s.beside, len(s.events) == 0)
	if s.single || (!s.listed && len(s.beside) > 0) {
		events = []Raw{Raw(jsonlog.Text(bytes.Trim(s.body[:s.end], blanks)))}
	}
	if len(bytes.Trim(s.body[s.end:], blanks)) > 0 {
		return events, Problem{Reason: TrailingData, Rest: s.body[s.end:]}
	}
	return events, Problem{}
}
