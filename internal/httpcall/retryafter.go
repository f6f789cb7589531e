// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter is the longest wait that a server can ask for; longer ones are cut to it.
const MaxRetryAfter = time.Hour

// RetryAfter reads how long the Retry-After header asks to wait, in whole seconds or as an HTTP date seen from now. A
// negative wait is none (0), a very long one MaxRetryAfter. The result is false if the header is missing or unreadable.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range, seconds is the nearest number
		seconds = max(0, min(seconds, int64(MaxRetryAfter/time.Second)))
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return max(0, min(at.Sub(now), MaxRetryAfter)), true
}
