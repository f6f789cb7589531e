// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// door is the listener or host at which a request came in.
type door int

const (
	doorFront     door = iota // API and UAA, told apart by path
	doorAPI                   // the API host alone
	doorUAA                   // UAA's host for client secrets
	doorCert                  // UAA's host for client certificates
	doorElsewhere             // a stranger to whom a redirect leads
)

// Kind of a request.
type Kind string

// The kinds of requests.
const (
	KindToken   Kind = "token"
	KindRecords Kind = "records"
	KindOther   Kind = "other"
)

const (
	uaaPath     = "/oauth/token"
	recordsPath = "/auditlog/v2/auditlogrecords"
	maxForm     = 1 << 20
)

// exchange is one request on its way through the simulator.
type exchange struct {
	door     door
	req      *http.Request
	kind     Kind
	at       time.Time
	readings Readings
	query    url.Values
	form     url.Values
	body     string
	bearer   string
	token    *token  // the bearer token, where it is one of ours
	tenant   *tenant // whose request it is, as far as that can be told
	page     int     // 1 for a first page
	client   string
	leaks    []Leak
	step     *session // the step of a retrieval that is being answered
	// tokenLife overrides the true lifetime of the token to be issued.
	tokenLife time.Duration
}

// reply is an answer before it is put on the wire.
type reply struct {
	status int
	header http.Header
	page   *page // rows of a good answer that are not encoded yet
	body   []byte
	stream func() io.Reader // a body too big to be held, in place of body
	length int64            // declared length; -1 for none
	delay  time.Duration    // before the first byte
	reset  bool             // the connection breaks before the first byte
	cut    int64            // the connection breaks after so many bytes of the body; -1 for never
	piece  int64            // the body comes in pieces of so many bytes; 0 for at once
	pause  time.Duration    // before each piece
	// spoiled says that a client cannot, or must not, make sense of the whole body.
	spoiled bool
	note    string // for the ledger
}

// page is the rows of an answer.
type page struct {
	rows     [][]byte
	ordinals []uint32
	handle   string
	hasNext  bool
}

func newReply(status int, contentType string, body []byte) *reply {
	r := &reply{status: status, header: http.Header{}, body: body, length: int64(len(body)), cut: -1}
	if contentType != "" {
		r.header.Set("Content-Type", contentType)
	}
	return r
}

const (
	typeJSON = "application/json"
	typeHTML = "text/html"
)

// encode turns the rows into the body.
func (r *reply) encode() {
	if r.page == nil || r.status == http.StatusNoContent && !r.page.hasNext {
		return
	}
	r.status = http.StatusOK
	r.header.Set("Content-Type", typeJSON)
	size := 2
	for _, row := range r.page.rows {
		size += len(row) + 1
	}
	body := append(make([]byte, 0, size), '[')
	for i, row := range r.page.rows {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, row...)
	}
	body = append(body, ']')
	r.body = body
	r.length = int64(len(r.body))
	if r.page.hasNext {
		r.header.Set("Paging", "handle="+r.page.handle)
	}
}

// receive reads a request as far as every later step needs it.
func (s *Simulator) receive(d door, req *http.Request) *exchange {
	x := &exchange{door: d, req: req, kind: KindOther, at: s.now(), readings: s.reading(), query: req.URL.Query()}
	if req.Body != nil {
		// A body that breaks off is judged by what came of it.
		raw, _ := io.ReadAll(io.LimitReader(req.Body, maxForm))
		x.body = string(raw)
		_ = req.Body.Close()
	}
	switch req.URL.Path {
	case uaaPath:
		x.kind = KindToken
		x.form, _ = url.ParseQuery(x.body)
		x.client = x.form.Get("client_id")
		if id, _, ok := req.BasicAuth(); ok && x.client == "" {
			x.client = plainCredential(req, id)
		}
		x.tenant = s.byClient[x.client]
	case recordsPath:
		x.kind = KindRecords
		x.page = 1
	}
	if scheme, bearer, ok := cutScheme(req.Header.Get("Authorization")); ok && scheme == "bearer" {
		x.bearer = bearer
		x.token = s.tokens.find(bearer)
	}
	if x.token != nil && x.kind == KindRecords {
		x.tenant, x.client = x.token.tenant, x.token.tenant.clientID
		if h := x.query.Get("handle"); h != "" {
			x.page = x.tenant.reads.pageOf(h)
		}
	}
	return x
}

// answer takes one request through the simulator: what it is, who watches, what is wrong with it today, what it gets.
func (s *Simulator) answer(d door, req *http.Request) *reply {
	x := s.receive(d, req)
	s.ledger.arrived(x)
	r := s.suffer(x)
	s.ledger.answered(x, r)
	return r
}

// suffer gives the answer with the faults that the script has for this request.
func (s *Simulator) suffer(x *exchange) *reply {
	rules := s.script.pick(x, x.at.Sub(s.born))
	var r *reply
	var names []string
	for i := range rules {
		f := &rules[i].Fault
		names = append(names, rules[i].Name)
		if before := injections[f.Kind].before; before != nil {
			before(x, f)
		}
		if instead := injections[f.Kind].instead; instead != nil {
			r = instead(s, x, f)
		}
	}
	if r == nil {
		r = s.handle(x)
	}
	for i := range rules {
		if paging := injections[rules[i].Fault.Kind].paging; paging != nil && r.page != nil {
			paging(x, &rules[i].Fault, r)
		}
	}
	r.encode()
	for i := range rules {
		if body := injections[rules[i].Fault.Kind].body; body != nil {
			body(x, &rules[i].Fault, r)
		}
	}
	s.stamp(x, r)
	if len(names) > 0 {
		r.note = strings.Join(names, "+")
	}
	return r
}

// handle gives the answer of a faultless server.
func (s *Simulator) handle(x *exchange) *reply {
	switch {
	case x.door == doorElsewhere:
		return elsewhere(x)
	case x.kind == KindToken && x.door != doorAPI:
		return s.issueToken(x)
	case x.kind == KindRecords && (x.door == doorAPI || x.door == doorFront):
		return s.retrieve(x)
	default:
		return newReply(http.StatusNotFound, typeJSON, []byte(`{"error":"not_found","error_description":"no handler"}`))
	}
}

// elsewhere is a stranger that takes whatever it is given and looks as if all was well.
func elsewhere(x *exchange) *reply {
	if x.kind == KindToken {
		return newReply(http.StatusOK, typeJSON, []byte(`{"access_token":"stolen","token_type":"bearer","expires_in":43199}`))
	}
	return newReply(http.StatusOK, typeJSON, []byte(`[]`))
}

// stamp sets the headers that every answer has.
func (s *Simulator) stamp(x *exchange, r *reply) {
	if !x.readings.NoDate && r.header.Get("Date") == "" {
		r.header.Set("Date", x.at.Add(x.readings.DateSkew).UTC().Format(http.TimeFormat))
	}
	if r.length >= 0 && r.status != http.StatusNoContent {
		r.header.Set("Content-Length", strconv.FormatInt(r.length, 10))
	}
}
