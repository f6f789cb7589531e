// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

const (
	maxTries = 3
	// maxPause is the longest wait between two tries of one call. An endpoint that asks for more gets it, but outside.
	maxPause = 10 * time.Second
)

var (
	// ErrRefused is matched, with errors.Is, by errors that say: the token endpoint refused the credentials, by 401 or 403, or
	// by 400 with a code that says so (RFC 6749, 5.2). They are never tried again by this package.
	ErrRefused = errors.New("the token endpoint refused the credentials")

	// ErrRejected is matched by the errors of other replies with 400: the endpoint did not accept the request as such. They are
	// never tried again by this package either.
	ErrRejected = errors.New("the token endpoint did not accept the request")
)

// refusal adds ErrRefused or ErrRejected to a call's error.
type refusal struct {
	cause *httpcall.Error
	is    error
}

func (r *refusal) Error() string        { return r.cause.Error() }
func (r *refusal) Unwrap() error        { return r.cause }
func (r *refusal) Is(target error) bool { return target == r.is }

// pause returns how long to wait after the given try (from 1) failed with err, and whether trying again makes sense. The
// waits are those that SAP prescribes (SAP-docs 8d39ef3); they suit other servers as well.
func pause(err error, try int) (time.Duration, bool) {
	var e *httpcall.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	wait, factor := 300*time.Millisecond, time.Duration(2)
	switch e.Kind {
	case httpcall.KindNetwork, httpcall.KindTimeout, httpcall.KindBrokenBody:
		if e.Status == http.StatusProxyAuthRequired {
			return 0, false // proxies lock users out
		}
	case httpcall.KindThrottled:
		wait, factor = time.Second, 3
	case httpcall.KindServer:
		if e.Status != http.StatusBadGateway && e.Status != http.StatusGatewayTimeout {
			wait, factor = time.Second, 3
		}
	default:
		return 0, false
	}
	if e.HasRetryAfter && e.RetryAfter > 0 {
		return e.RetryAfter, e.RetryAfter <= maxPause
	}
	for range try - 1 {
		wait *= factor
	}
	return wait, true
}

// explain adds to the error of a token request what the user can do about it. A code or description that has to do with the
// secret is an echo and goes.
func explain(err error, secret string, params url.Values) error {
	var e *httpcall.Error
	if !errors.As(err, &e) {
		return err
	}
	if secret != "" {
		if strings.Contains(secret, e.Code) || strings.Contains(e.Code, secret) {
			e.Code = ""
		}
		e.Hide(secret, url.QueryEscape(secret))
	}
	for name, values := range params {
		if secretParam.MatchString(name) {
			e.Hide(values...)
		}
	}
	switch {
	case e.Status == http.StatusBadRequest, e.Kind == httpcall.KindUnauthorized, e.Kind == httpcall.KindForbidden:
		return explainRefusal(e)
	case e.Kind == httpcall.KindRedirect:
		e.Hint = "check token_url; the credentials were not sent on"
	case e.Kind == httpcall.KindClient:
		e.Hint = "check token_url"
	}
	return err
}

// secretParam is a form field that proves who the client is, as an assertion does (RFC 7521, 4).
var secretParam = regexp.MustCompile(`(?i)assertion|secret|password|token|code`)

// explainRefusal tells by the codes of RFC 6749, 5.2, and those that token services use in their place, what is refused.
func explainRefusal(e *httpcall.Error) error {
	is := ErrRefused
	e.What = ErrRefused.Error()
	switch e.Code {
	case "invalid_scope":
		e.What = "the token endpoint refused the scope"
		e.Hint = "give the API client the scope that is asked for"
	case "unauthorized_client":
		e.What = "the token endpoint refused the grant to this client"
		e.Hint = "the client must be allowed to use the client_credentials grant"
	case "unsupported_grant_type":
		is = ErrRejected
		e.What = "the token endpoint does not know the client_credentials grant"
		e.Hint = "check token_url, and that the client must be allowed to use the client_credentials grant"
	case "invalid_client", "unauthorized", "invalid_grant", "access_denied", "invalid_token":
		e.Hint = checkCredentials
	default:
		if e.Status != http.StatusBadRequest {
			e.Hint = checkCredentials
			break
		}
		is = ErrRejected
		e.What = ErrRejected.Error()
		e.Hint = "check token_url and what is between: the request arrived incomplete, or is for another service; then check client_id"
	}
	return &refusal{e, is}
}

const checkCredentials = "check client_id, the client secret or certificate, and that token_url belongs to them"

// suspect makes a failure of the certificate of one that, to the last try, looks like it: servers may refuse a client
// certificate without a word, and after the handshake.
func (s *Source) suspect(err error) error {
	var e *httpcall.Error
	if s.settings.Style != MutualTLS || !errors.As(err, &e) || !e.Unanswered {
		return err
	}
	e.Kind, e.What = httpcall.KindTLS, "the server cuts the connection right after the TLS handshake"
	e.Hint = "it probably refuses the client certificate: renew it, and check that it belongs to client_id and token_url; " +
		"or something in between blocks the connection"
	return err
}
