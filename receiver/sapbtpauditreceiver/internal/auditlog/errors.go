// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

var (
	// ErrHandle says that the server refuses a paging handle, with the times and alone.
	ErrHandle = errors.New("the paging handle is not valid any more")
	// ErrCategoryFilter says that the subaccount's API cannot filter by category (SAP-docs 30ece35: custom retention,
	// sovereign cloud).
	ErrCategoryFilter = errors.New("the API does not filter by category here")
	// ErrToken says that getting an access token failed. The error also matches what that failure matches, such as
	// oauth.ErrRefused.
	ErrToken = errors.New("no access token for the audit log")
)

// Outcomes of a request.
const (
	OutcomeOK           = "ok"
	OutcomeEmpty        = "empty"
	OutcomeThrottled    = "throttled"
	OutcomeUnauthorized = "unauthorized"
	OutcomeForbidden    = "forbidden"
	OutcomeClientError  = "client_error"
	OutcomeServerError  = "server_error"
	OutcomeNetwork      = "network"
	OutcomeTimeout      = "timeout"
	OutcomeProtocol     = "protocol"
)

// outcomeOf returns "" for a request that was canceled.
func outcomeOf(page *Page, err error) string {
	switch httpcall.KindOf(err) {
	case httpcall.KindUnknown:
		if page.Empty {
			return OutcomeEmpty
		}
		return OutcomeOK
	case httpcall.KindCanceled:
		return ""
	case httpcall.KindThrottled:
		return OutcomeThrottled
	case httpcall.KindUnauthorized:
		return OutcomeUnauthorized
	case httpcall.KindForbidden:
		return OutcomeForbidden
	case httpcall.KindClient:
		return OutcomeClientError
	case httpcall.KindServer, httpcall.KindNotImplemented:
		return OutcomeServerError
	case httpcall.KindNetwork, httpcall.KindTLS, httpcall.KindBrokenBody:
		return OutcomeNetwork
	case httpcall.KindTimeout:
		return OutcomeTimeout
	case httpcall.KindRedirect, httpcall.KindTooLarge, httpcall.KindProtocol:
	}
	return OutcomeProtocol
}

// explain adds what SAP's documents say about an error.
func explain(err error, q Query) error {
	var e *httpcall.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Kind == httpcall.KindNotImplemented && lacksCategoryFilter(e, q):
		return fmt.Errorf("%w: %w", ErrCategoryFilter, err)
	case e.Kind == httpcall.KindUnauthorized:
		e.Hint = "endpoint, token_url and credentials must come from the same service key"
	case e.Kind == httpcall.KindForbidden:
		e.Hint = "the service key must be one of the Audit Log Management service (auditlog-management, plan default)"
	case e.Status == http.StatusBadRequest && q.Handle == "" && len(q.Categories) > 0:
		e.Hint = "the API may not know the category filter here; if it refuses without an end, remove categories"
	case e.Status == http.StatusNotFound:
		e.Hint = "endpoint must be the field url of the service key, not uaa.url"
	}
	return err
}

// lacksCategoryFilter also believes a 501 without a code, which a proxy may have taken away, if categories were asked for. Of a
// query without any only a handle can have kept them.
func lacksCategoryFilter(e *httpcall.Error, q Query) bool {
	if len(q.Categories) == 0 && q.Handle == "" {
		return false
	}
	return e.Code == "filter_category_not_supported" || e.Code == "" && len(q.Categories) > 0
}

// refused reports whether the server refused the query itself.
func refused(err error) bool {
	return httpcall.KindOf(err) == httpcall.KindClient && !errors.Is(err, ErrToken)
}
