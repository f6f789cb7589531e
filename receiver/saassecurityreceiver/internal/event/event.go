// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package event turns the replies of the SaaS Security log events API into log
// records. It loses nothing: what of a reply cannot be read as an event is
// handed back as it came, and what an event holds beyond the documented fields
// stays in the body of its record.
package event

// Raw is one event as it was received: one JSON value, nearly always an object.
// Its strings can hold bytes that are not UTF-8.
type Raw string

// Reason says why a part of a reply is no event.
type Reason string

// The reasons of a [Problem].
const (
	// Truncated: the reply ends in the middle of its JSON.
	Truncated Reason = "truncated"
	// NotJSON: the reply has a syntax error.
	NotJSON Reason = "not_json"
	// NotEvents: the reply is JSON, but has neither an event nor a list.
	NotEvents Reason = "not_events"
	// TrailingData: something follows the JSON.
	TrailingData Reason = "trailing_data"
)

// Problem is the part of a reply that could not be read. The zero Problem means
// that all of it was.
type Problem struct {
	Reason Reason
	// Rest are the bytes as received, from the end of the last complete event
	// on; all bytes if there is no such event. It can be empty: the reply may
	// have been cut exactly behind an event.
	Rest []byte
}

// Found reports whether there is a problem.
func (p Problem) Found() bool { return p.Reason != "" }
