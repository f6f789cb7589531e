// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	pageSize     = 500 // fixed (SAP-docs 30ece35)
	wholeSeconds = "2006-01-02T15:04:05"
)

// retrieve is GET /auditlog/v2/auditlogrecords.
func (s *Simulator) retrieve(x *exchange) *reply {
	if x.req.Method != http.MethodGet {
		return apiError(http.StatusMethodNotAllowed, "method_not_allowed", "only GET is supported")
	}
	if !s.tokens.valid(x.token, x.at) {
		return unauthorized()
	}
	wait, ok := x.tenant.rate.take(x.at, x.readings.RateLimit)
	if !ok {
		return throttled(x, wait)
	}
	r := s.answerQuery(x)
	r.delay += wait
	s.noteRead(x)
	return r
}

// answerQuery gives a page, or says what is wrong with the question.
func (s *Simulator) answerQuery(x *exchange) *reply {
	if x.query.Has("category") && x.readings.NoCategory {
		return apiError(http.StatusNotImplemented, "filter_category_not_supported", "Filtering by category is not supported")
	}
	asked, problem := s.question(x)
	if problem != "" {
		return apiError(http.StatusBadRequest, "bad_request", problem)
	}
	var found *session
	if x.query.Has("handle") {
		found, problem = x.tenant.resume(x, asked)
	} else {
		found = s.begin(x, asked)
	}
	if problem != "" {
		return apiError(http.StatusBadRequest, "invalid_handle", problem)
	}
	x.step = found
	return x.tenant.page(x)
}

// question is what a query asks for.
type question struct {
	fromText, toText string
	from, to         int64 // Unix milliseconds, both inclusive
	categories       []string
}

// question reads the query. The second result says what is wrong with it.
func (s *Simulator) question(x *exchange) (question, string) {
	q := question{fromText: x.query.Get("time_from"), toText: x.query.Get("time_to"), to: math.MaxInt64}
	if q.fromText == "" && q.toText == "" {
		q.from = x.at.Add(-defaultRange).UnixMilli()
	}
	if q.fromText != "" {
		from, ok := x.readings.edge(q.fromText)
		if !ok {
			return q, "time_from is not a valid time"
		}
		q.from = x.readings.firstAfter(from)
	}
	if q.toText != "" {
		to, ok := x.readings.edge(q.toText)
		if !ok {
			return q, "time_to is not a valid time"
		}
		q.to = x.readings.lastBefore(to)
	}
	if problem := x.readings.span(q.fromText, q.toText); problem != "" {
		return q, problem
	}
	if s.retention > 0 {
		q.from = max(q.from, x.at.Add(-s.retention).UnixMilli())
	}
	if x.query.Has("category") {
		q.categories = strings.Split(x.query.Get("category"), ",")
	}
	for _, c := range q.categories {
		if !slices.Contains([]string{CategorySecurity, CategoryConfiguration, CategoryDataAccess, CategoryDataModification}, c) {
			return q, "unknown category"
		}
	}
	return q, ""
}

// span says what is wrong with the range between two edges that are right by themselves.
func (r *Readings) span(fromText, toText string) string {
	if fromText == "" || toText == "" {
		return ""
	}
	from, _ := r.edge(fromText)
	to, _ := r.edge(toText)
	switch {
	case from.After(to):
		return "time_from is after time_to"
	case r.MaxRange > 0 && to.Sub(from) > r.MaxRange:
		return "the time range is too long"
	}
	return ""
}

// edge reads time_from or time_to: UTC without a zone.
func (r *Readings) edge(text string) (time.Time, bool) {
	at, err := time.Parse(wholeSeconds, text)
	if err != nil {
		return time.Time{}, false
	}
	switch {
	case at.Nanosecond() == 0 && !strings.Contains(text, "."):
		return at, true
	case r.QueryFraction == FractionRefused:
		return time.Time{}, false
	case r.QueryFraction == FractionTruncated:
		return at.Truncate(time.Second), true
	default:
		return at, true
	}
}

// firstAfter gives the first millisecond that the lower edge lets in.
func (r *Readings) firstAfter(from time.Time) int64 {
	ms := from.UnixMilli()
	if r.WholeSeconds {
		ms = ceilSecond(ms)
		if r.From == Exclusive && ms == from.UnixMilli() {
			ms += 1000
		}
		return ms
	}
	if r.From == Exclusive {
		ms++
	}
	return ms
}

// lastBefore gives the last millisecond that the upper edge lets in.
func (r *Readings) lastBefore(to time.Time) int64 {
	ms := to.UnixMilli()
	if r.WholeSeconds {
		second := ms - ms%1000
		if r.To == Exclusive && second == ms {
			return second - 1
		}
		return second + 999
	}
	if r.To == Exclusive {
		ms--
	}
	return ms
}

func ceilSecond(ms int64) int64 {
	if rest := ms % 1000; rest != 0 {
		return ms - rest + 1000
	}
	return ms
}

// apiError is an error body. SAP documents this form for 501 only.
func apiError(status int, code, message string) *reply {
	body := begin().obj("error", begin().str("code", code).str("message", message))
	return newReply(status, typeJSON, body.end())
}

func unauthorized() *reply {
	r := apiError(http.StatusUnauthorized, "unauthorized", "token is missing, expired or revoked")
	r.header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	return r
}

// throttled is the 429 of the reverse proxy in front of the API.
func throttled(x *exchange, wait time.Duration) *reply {
	r := newReply(http.StatusTooManyRequests, typeHTML, []byte("<html><body><h1>429 Too Many Requests</h1></body></html>\n"))
	r.note = "rate limit"
	if x.readings.RateLimit.RetryAfter {
		r.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	return r
}
