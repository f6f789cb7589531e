// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// ErrNotAPage is the error of [Split] for an answer that is not one JSON array.
var ErrNotAPage = errors.New("the answer is not a page of audit records (one JSON array)")

// maxRecords bounds what a page can make of itself in memory. SAP's pages have at most 500 records.
const maxRecords = 100_000

// A record takes about 1 kB, a page has at most 500 (SAP-docs 30ece35).
const (
	usualRecord = 512
	usualPage   = 500
)

// fieldUUID is the member that holds the service's own identifier of a record.
const fieldUUID = "message_uuid"

// Raw is one record of a page as it was received.
type Raw struct {
	// Text is the record's JSON, in valid UTF-8.
	Text string
	// Original is the record as it came, if that is not valid UTF-8; "" otherwise.
	Original string
	// UUID is message_uuid without blanks around it; "" if there is none.
	UUID string
	// Time is the event's time, the record's outer time; zero if there is none that can be read.
	Time time.Time
	// Category is the record's outer category; "" if there is none.
	Category string
	// Key identifies the event: the same whenever it is read, another for every other event.
	Key Key
	// Malformed says that the record is not an object, or too large to be taken apart. It is kept as text.
	Malformed bool

	// normalUUID is UUID in one of the spellings that are seen for one and the same event.
	normalUUID string
	// message is the largest string in Text, if it is one.
	message jsonlog.Known
}

// Split cuts a page into its records without looking into their messages. It takes the page over: the records are parts
// of it, so nobody may change it afterwards. If it is not exactly one JSON array the error wraps [ErrNotAPage], and the records before the break, which are
// whole, are returned with it.
func Split(page []byte) ([]Raw, error) {
	var (
		doc       jsonlog.Doc
		canonical []byte
		recs      = make([]Raw, 0, min(len(page)/usualRecord+1, usualPage))
		received  originals
	)
	if !utf8.Valid(page) {
		received = originals{text: string(page), at: bytes.IndexByte(page, '[') + 1}
	}
	for n, err := range jsonlog.Elements(jsonlog.Take(page), &doc) {
		if err != nil {
			return recs, fmt.Errorf("%w: %w", ErrNotAPage, err)
		}
		if len(recs) == maxRecords {
			return recs, fmt.Errorf("%w: more than %d records", ErrNotAPage, maxRecords)
		}
		raw := newRaw(n)
		raw.Original = received.next()
		raw.Key, canonical = keyOf(n, raw.normalUUID, canonical)
		recs = append(recs, raw)
	}
	return recs, nil
}

// originals are the records of a page that is not valid UTF-8, as they came. Of any other page there are none.
type originals struct {
	text string
	at   int
}

// next is "" for a record that is valid UTF-8.
func (o *originals) next() string {
	if o.text == "" {
		return ""
	}
	start, end := jsonlog.NextElement(o.text, o.at)
	o.at = end
	if utf8.ValidString(o.text[start:end]) {
		return ""
	}
	return o.text[start:end]
}

func newRaw(n jsonlog.Node) Raw {
	raw := Raw{Text: n.Raw(), Malformed: n.Kind() != jsonlog.Object}
	for member := range n.Children() {
		switch member.Key() {
		case fieldUUID:
			raw.UUID = strings.TrimSpace(member.Scalar())
			raw.normalUUID = strings.ToLower(raw.UUID)
		case "time":
			raw.Time = parseTime(member.Str())
		case "category":
			raw.Category = present(member.Str())
		case "message":
			raw.message = member.Known(n)
		}
	}
	return raw
}
