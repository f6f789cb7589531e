// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import "time"

// FaultKind names a fault.
type FaultKind string

// Faults in the server's place.
const (
	// FaultStatus answers with Status, a body of the kind that such an answer has (Text replaces it) and RetryAfter.
	FaultStatus FaultKind = "status"
	// FaultRevoke makes the token of the retrieval invalid and answers 401.
	FaultRevoke FaultKind = "revoke"
	// FaultReset breaks the connection before the first byte of an answer.
	FaultReset FaultKind = "reset"
	// FaultRedirect answers with Status (default 302; 307 for tokens) and a Location at a stranger's host (Text replaces it).
	FaultRedirect FaultKind = "redirect"
	// FaultHTML answers 200 with a page of HTML, as a login page or a proxy does.
	FaultHTML FaultKind = "html"
)

// Faults of time.
const (
	// FaultSlow waits Delay (default 30s) before the first byte.
	FaultSlow FaultKind = "slow"
	// FaultTrickle sends the body in pieces of Bytes (default 1024) with Delay (default 100ms) before each.
	FaultTrickle FaultKind = "trickle"
	// FaultNoDate leaves out the Date header.
	FaultNoDate FaultKind = "no_date"
	// FaultDate adds Delay (default 1h) to the Date header, or sends Text in its place.
	FaultDate FaultKind = "date"
)

// Faults of the body.
const (
	// FaultTruncate declares the whole length and breaks the connection after Bytes (default half).
	FaultTruncate FaultKind = "truncate"
	// FaultHalf sends the first Bytes (default half) as if they were all.
	FaultHalf FaultKind = "half"
	// FaultOversize fills the document with blanks up to Bytes (default 128 MiB).
	FaultOversize FaultKind = "oversize"
	// FaultGzip compresses the body, where the client accepts that.
	FaultGzip FaultKind = "gzip"
	// FaultBomb is a small compressed body that becomes Bytes (default 128 MiB) of blanks and the document.
	FaultBomb FaultKind = "bomb"
	// FaultGarbage puts Text (default null) into the middle of the array.
	FaultGarbage FaultKind = "garbage"
	// FaultUTF8 adds a member with bytes that are no UTF-8 to the first record.
	FaultUTF8 FaultKind = "utf8"
	// FaultDeep adds a member of Bytes (default 20,000) nested arrays to the first record.
	FaultDeep FaultKind = "deep"
	// FaultHuge adds a member of Bytes (default 50 MiB) of text to the first record.
	FaultHuge FaultKind = "huge"
)

// Faults of paging.
const (
	// FaultRepeatHandle sends the handle of the request again.
	FaultRepeatHandle FaultKind = "repeat_handle"
	// FaultEndlessEmpty gives a handle to an empty page after the last page, and so on.
	FaultEndlessEmpty FaultKind = "endless_empty"
	// FaultEndlessRows gives a new handle to the last page after the last page, and so on.
	FaultEndlessRows FaultKind = "endless_rows"
	// FaultNoHandle leaves out the Paging header, on full pages too.
	FaultNoHandle FaultKind = "no_handle"
)

// Faults of tokens.
const (
	// FaultShortToken issues a token that is valid for Delay (default 5s), and says so.
	FaultShortToken FaultKind = "short_token"
	// FaultDeadToken issues a token that is valid for Delay (default: not at all), and says it was the usual time.
	FaultDeadToken FaultKind = "dead_token"
	// FaultNoExpiry leaves out expires_in.
	FaultNoExpiry FaultKind = "no_expires_in"
)

// Fault is what happens to a request. What the other fields mean is said with each kind.
type Fault struct {
	Kind   FaultKind `json:"kind"`
	Status int       `json:"status,omitempty"`
	// RetryAfter is the value of Retry-After, as it stands; "@30s" is the HTTP date of 30 seconds ahead.
	RetryAfter string   `json:"retry_after,omitempty"`
	Delay      Duration `json:"delay,omitempty"`
	Bytes      int64    `json:"bytes,omitempty"`
	Text       string   `json:"text,omitempty"`
}

func (f *Fault) delay(standard time.Duration) time.Duration {
	if f.Delay == 0 {
		return standard
	}
	return time.Duration(f.Delay)
}

func (f *Fault) bytes(standard int64) int64 {
	if f.Bytes <= 0 {
		return standard
	}
	return f.Bytes
}

// text gives Text or its default.
func (f *Fault) text(standard string) string {
	if f.Text == "" {
		return standard
	}
	return f.Text
}

// injection is how a fault is done: it answers in the server's place, or changes what the server reads, the rows and the
// handle of its page, or the encoded answer.
type injection struct {
	kind    Kind // of request; empty for both
	instead func(*Simulator, *exchange, *Fault) *reply
	before  func(*exchange, *Fault)
	paging  func(*exchange, *Fault, *reply)
	body    func(*exchange, *Fault, *reply)
}

func (i injection) fits(x *exchange) bool { return i.kind == "" || i.kind == x.kind }

var injections = map[FaultKind]injection{
	FaultStatus:   {instead: faultStatus},
	FaultRevoke:   {kind: KindRecords, instead: faultRevoke},
	FaultReset:    {instead: faultReset},
	FaultRedirect: {instead: faultRedirect},
	FaultHTML:     {instead: faultHTML},

	FaultSlow:    {body: faultSlow},
	FaultTrickle: {body: faultTrickle},
	FaultNoDate:  {before: func(x *exchange, _ *Fault) { x.readings.NoDate = true }},
	FaultDate:    {before: func(x *exchange, f *Fault) { x.readings.DateSkew += f.delay(time.Hour) }, body: faultDate},

	FaultTruncate: {body: faultTruncate},
	FaultHalf:     {body: faultHalf},
	FaultOversize: {body: faultOversize},
	FaultGzip:     {body: faultGzip},
	FaultBomb:     {body: faultBomb},
	FaultGarbage:  {kind: KindRecords, paging: faultGarbage},
	FaultUTF8:     {kind: KindRecords, paging: faultUTF8},
	FaultDeep:     {kind: KindRecords, paging: faultDeep},
	FaultHuge:     {kind: KindRecords, paging: faultHuge},

	FaultRepeatHandle: {kind: KindRecords, paging: faultRepeatHandle},
	FaultEndlessEmpty: {kind: KindRecords, paging: faultEndlessEmpty},
	FaultEndlessRows:  {kind: KindRecords, paging: faultEndlessRows},
	FaultNoHandle:     {kind: KindRecords, paging: faultNoHandle},

	FaultShortToken: {kind: KindToken, before: func(x *exchange, f *Fault) { x.readings.TokenLifetime = f.delay(5 * time.Second) }},
	FaultDeadToken:  {kind: KindToken, before: func(x *exchange, f *Fault) { x.tokenLife = f.delay(time.Nanosecond) }},
	FaultNoExpiry:   {kind: KindToken, before: func(x *exchange, _ *Fault) { x.readings.NoExpiresIn = true }},
}
