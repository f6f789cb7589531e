// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog

import (
	"net/http"
	"net/url"
	"strings"
)

// maxHandle is the longest handle accepted, in bytes; known ones have less than 200.
const maxHandle = 8 << 10

// nextHandle reads the header "Paging: handle=<value>": the value is all that follows the first "=", since it may be base64
// with padding. No header or no value means the last page. The result is false for anything else, which must not be taken
// for the last page.
func nextHandle(h http.Header) (string, bool) {
	var next string
	for _, value := range h.Values("Paging") {
		name, handle, found := strings.Cut(value, "=")
		name, handle = strings.TrimSpace(name), strings.TrimSpace(handle)
		switch {
		case name == "" && !found:
			continue
		case !found, !strings.EqualFold(name, "handle"), len(handle) > maxHandle:
			return "", false
		case next != "" && next != handle:
			return "", false
		}
		next = handle
	}
	return next, true
}

// escapeHandle returns the handle as a query value, so that the server reads what it gave. Handles are opaque and get
// escaped exactly once. Only the form of 2021 comes escaped already ("%3C"): where every % of a handle begins an escape, the
// escapes and plus signs are kept, and just what cannot stand in a query is escaped. Base64, today's form, has no %.
func escapeHandle(handle string) string {
	escaped := url.QueryEscape(handle)
	if strings.Contains(handle, "%") {
		if _, err := url.QueryUnescape(handle); err == nil {
			return keepEscapes.Replace(escaped)
		}
	}
	return escaped
}

// keepEscapes undoes the escaping of what makes up escapes themselves.
var keepEscapes = strings.NewReplacer("%25", "%", "%2B", "+")
