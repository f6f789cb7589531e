// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const loginPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form action=\"/login\">Please sign in</form></body></html>\n"

func faultStatus(_ *Simulator, x *exchange, f *Fault) *reply {
	r := refusal(x, f.Status)
	if f.Text != "" {
		r.body = []byte(f.Text)
		r.length = int64(len(r.body))
	}
	if f.RetryAfter != "" {
		r.header.Set("Retry-After", retryAfter(f.RetryAfter, x.at))
	}
	return r
}

// retryAfter turns "@30s" into a date and leaves everything else, however absurd.
func retryAfter(text string, now time.Time) string {
	if ahead, isDate := strings.CutPrefix(text, "@"); isDate {
		if d, err := time.ParseDuration(ahead); err == nil {
			return now.Add(d).UTC().Format(http.TimeFormat)
		}
	}
	return text
}

// refusal gives the body that such an answer has: JSON of the service itself, HTML of the proxies in front of it.
func refusal(x *exchange, status int) *reply {
	switch {
	case status == http.StatusNoContent:
		return newReply(status, "", nil)
	case status == http.StatusNotImplemented && x.kind == KindRecords:
		return apiError(status, "filter_category_not_supported", "Filtering by category is not supported")
	case status >= 500 || status == http.StatusTooManyRequests:
		title := strconv.Itoa(status) + " " + http.StatusText(status)
		return newReply(status, typeHTML, []byte("<html>\r\n<head><title>"+title+"</title></head>\r\n<body>\r\n<center><h1>"+title+"</h1></center>\r\n</body>\r\n</html>\r\n"))
	case x.kind == KindToken:
		return uaaError(status, "unauthorized", "Bad credentials")
	default:
		return apiError(status, "error_"+strconv.Itoa(status), http.StatusText(status))
	}
}

func faultRevoke(s *Simulator, x *exchange, _ *Fault) *reply {
	if x.token != nil {
		s.tokens.revoke(x.token)
	}
	return unauthorized()
}

func faultReset(*Simulator, *exchange, *Fault) *reply {
	r := newReply(0, "", nil)
	r.reset = true
	return r
}

func faultRedirect(s *Simulator, x *exchange, f *Fault) *reply {
	status := f.Status
	if status == 0 {
		status = http.StatusFound
		if x.kind == KindToken {
			status = http.StatusTemporaryRedirect
		}
	}
	r := newReply(status, typeHTML, []byte("<html><body>moved</body></html>\n"))
	r.header.Set("Location", f.text(s.elsewhereURL()+x.req.URL.RequestURI()))
	return r
}

// elsewhereURL is the stranger that redirects lead to.
func (s *Simulator) elsewhereURL() string {
	if l := s.listeners.Load(); l != nil && l.ElsewhereURL != "" {
		return l.ElsewhereURL
	}
	return "https://" + ElsewhereHost
}

func faultHTML(*Simulator, *exchange, *Fault) *reply {
	return newReply(http.StatusOK, typeHTML, []byte(loginPage))
}

func faultSlow(_ *exchange, f *Fault, r *reply) { r.delay += f.delay(30 * time.Second) }

func faultTrickle(_ *exchange, f *Fault, r *reply) {
	r.piece, r.pause = f.bytes(1024), f.delay(100*time.Millisecond)
}

func faultDate(_ *exchange, f *Fault, r *reply) {
	if f.Text != "" {
		r.header.Set("Date", f.Text)
	}
}
