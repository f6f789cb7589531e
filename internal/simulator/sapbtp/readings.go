// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import "time"

// Readings settles what SAP's documents leave open or say in two ways. The zero value is the friendliest reading of the
// documents: both edges inclusive, oldest first, handles that never expire, everything supported, no rate limit.
type Readings struct {
	// From and To say whether a record exactly at time_from or time_to belongs to the answer.
	From, To Edge
	// QueryFraction is what happens to fractions of a second in time_from and time_to.
	QueryFraction Fraction
	// MaxRange is the longest span from time_from to time_to that is answered; a longer one gets 400. 0 means any.
	MaxRange time.Duration
	// WholeSeconds compares records with the edges by whole seconds, cutting off their milliseconds.
	WholeSeconds bool
	// Order of the records in an answer, over all of its pages.
	Order Order
	// Paging says what a handle pages over.
	Paging Paging
	// FollowUp is what a request with a handle may contain.
	FollowUp FollowUp
	// Handles is the look of a handle.
	Handles HandleForm
	// HandleAge is how long a handle may be used; 0 means for ever.
	HandleAge time.Duration
	// HandleUses is how often a handle may be used; 0 means without limit.
	HandleUses int
	// Messages is the type of the member "message".
	Messages MessageForm
	// OwnRecords makes each retrieval and each login write records of its own (SAP-docs d888e5e).
	OwnRecords bool
	// EmptyArray answers an empty window with 200 and [] in place of 204.
	EmptyArray bool
	// TrailingHandle gives a handle with a last page that is exactly full; its page is 204.
	TrailingHandle bool
	// EmptyHandle sends "Paging: handle=" with the last page in place of no header.
	EmptyHandle bool
	// NoCategory answers 501 where a category is asked for, as with custom retention.
	NoCategory bool
	// NoDate leaves out the Date header.
	NoDate bool
	// DateSkew is added to the Date header.
	DateSkew time.Duration
	// RateLimit of retrievals, per subaccount. The zero value means none.
	RateLimit RateLimit
	// TokenLifetime of access tokens. Default 43199s, as in SAP's samples.
	TokenLifetime time.Duration
	// NoExpiresIn leaves expires_in out of the token response.
	NoExpiresIn bool
}

// Edge of a time range.
type Edge int

// The readings of an edge.
const (
	Inclusive Edge = iota
	Exclusive
)

// Fraction is a reading of fractions of a second in a query.
type Fraction int

// The readings of fractions.
const (
	FractionHonoured  Fraction = iota
	FractionTruncated          // accepted and cut off
	FractionRefused            // 400
)

// Order of records.
type Order int

// The orders that clients report.
const (
	OldestFirst Order = iota
	NewestFirst
	Shuffled // in no order, but the same on every page of a retrieval
)

// Paging is what a handle pages over.
type Paging int

// The readings of paging.
const (
	// Snapshot pages over what was visible when the first page was asked for.
	Snapshot Paging = iota
	// LiveView pages by offset over what is visible now: what becomes visible in front of the offset moves all rows behind
	// it, so that rows repeat, or with NewestFirst a late row is passed by.
	LiveView
)

// FollowUp is what belongs into a request with a handle.
type FollowUp int

// The readings of follow-up requests. SAP shows both.
const (
	HandleAndMaybeTimes FollowUp = iota
	HandleAlone                  // 400 with time_from or time_to
	HandleWithTimes              // 400 without, or with others than on the first page
)

// HandleForm is the look of a handle.
type HandleForm int

// The forms of handles over the years.
const (
	HandleBase64      HandleForm = iota // with + / and == padding, since 2023
	HandleTimeID                        // <time><<uuid>, 2021
	HandleTimeIDTime                    // <time><<uuid><<time>
	HandleTimeEscaped                   // <time>%3C<uuid>, taken back as sent and as meant
)

// MessageForm is the type of the member "message".
type MessageForm int

// The readings of "message".
const (
	MessageString MessageForm = iota // a string that holds JSON, as on the wire
	MessageObject                    // an object, as the documents print it
	MessageMixed                     // now this, now that
)

// RateLimit is a token bucket with a queue: requests above PerSecond wait for their turn while fewer than Burst wait, and
// get 429 beyond.
type RateLimit struct {
	PerSecond float64
	Burst     int
	// RetryAfter adds the header Retry-After with whole seconds to a 429; SAP documents none for retrievals.
	RetryAfter bool
}

// The limits that SAP names (SAP-docs 30ece35): fast for eu10, eu20, us10 and us30, slow for the other regions.
var (
	FastRegion = RateLimit{PerSecond: 8, Burst: 40}
	SlowRegion = RateLimit{PerSecond: 4, Burst: 20}
)

const defaultTokenLifetime = 43199 * time.Second

func (r *Readings) tokenLifetime() time.Duration {
	if r.TokenLifetime <= 0 {
		return defaultTokenLifetime
	}
	return r.TokenLifetime
}
