// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxCode is the longest machine code kept of an error body.
const maxCode = 64

// statusError turns a reply that is not 2xx into an error. Of its body only a machine code is kept, and the description if
// asked for.
func statusError(op string, req *http.Request, reply *http.Response, date time.Time, describe bool) *Error {
	e := &Error{Op: op, Host: req.URL.Host, Status: reply.StatusCode}
	switch s := reply.StatusCode; {
	case s >= 300 && s <= 399:
		e.Kind, e.What = KindRedirect, "the server redirects elsewhere"
		e.Hint = "redirects are never followed; configure the final address"
	case s == http.StatusUnauthorized:
		e.Kind, e.What = KindUnauthorized, "not authenticated"
	case s == http.StatusForbidden:
		e.Kind, e.What = KindForbidden, "not permitted"
	case s == http.StatusRequestTimeout:
		e.Kind, e.What = KindTimeout, "the server gave up waiting for the request"
	case s == http.StatusTooManyRequests:
		e.Kind, e.What = KindThrottled, "too many requests"
	case s == http.StatusNotImplemented:
		e.Kind, e.What = KindNotImplemented, "not implemented by the server"
	case s >= 400 && s <= 499:
		e.Kind, e.What = KindClient, "the server refused the request"
	case s >= 500 && s <= 599:
		e.Kind, e.What = KindServer, "the server failed"
	default:
		e.Kind, e.What = KindProtocol, "unexpected status"
	}

	// Both times come from the server's clock where it tells its own, so that skew does not falsify the wait.
	now := date
	if now.IsZero() {
		now = time.Now()
	}
	e.RetryAfter, e.HasRetryAfter = RetryAfter(reply.Header, now)

	// A body that breaks off costs no more than its code.
	body, _ := io.ReadAll(io.LimitReader(reply.Body, maxErrorBody))
	if code := codeIn(body); !sent(req, code) {
		e.Code = code
	}
	if describe {
		e.Description = descriptionIn(body)
		e.Hide(headersOf(req)...)
	}
	return e
}

// codeIn finds the machine code in {"error":"code"} or {"error":{"code":"code"}}. Anything that does not look like a code
// could be text made of the request, so it is left out altogether rather than cleaned.
func codeIn(body []byte) string {
	var reply struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &reply) != nil || len(reply.Error) == 0 {
		return ""
	}
	var code string
	if json.Unmarshal(reply.Error, &code) == nil {
		return safeCode(code)
	}
	var nested struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(reply.Error, &nested) == nil {
		return safeCode(nested.Code)
	}
	return ""
}

func safeCode(code string) string {
	if len(code) > maxCode {
		return ""
	}
	for i := range len(code) {
		switch c := code[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '-':
		default:
			return ""
		}
	}
	return code
}

// sent reports whether code is part of a header of the request: then the server echoes, possibly a credential.
func sent(req *http.Request, code string) bool {
	for _, values := range req.Header {
		for _, v := range values {
			if strings.Contains(v, code) {
				return true
			}
		}
	}
	return false
}
