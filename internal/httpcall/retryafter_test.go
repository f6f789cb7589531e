// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadsRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]struct {
		wait time.Duration
		ok   bool
	}{
		"":                               {0, false},
		"   ":                            {0, false},
		"0":                              {0, true},
		" 5 ":                            {5 * time.Second, true},
		"3600":                           {time.Hour, true},
		"3601":                           {time.Hour, true},
		"-5":                             {0, true},
		"99999999999999999999999":        {time.Hour, true},
		"-99999999999999999999999":       {0, true},
		"9223372036854775807":            {time.Hour, true},
		"1.5":                            {0, false},
		"soon":                           {0, false},
		"5 seconds":                      {0, false},
		"Sun, 01 Mar 2026 12:00:30 GMT":  {30 * time.Second, true},
		"Sun, 01 Mar 2026 11:00:00 GMT":  {0, true},
		"Mon, 01 Mar 2027 12:00:00 GMT":  {time.Hour, true},
		"Sunday, 01-Mar-26 12:01:00 GMT": {time.Minute, true},
		"2026-03-01T12:00:30Z":           {0, false},
	} {
		wait, ok := RetryAfter(http.Header{"Retry-After": {value}}, now)
		require.Equal(t, want.ok, ok, "%q", value)
		require.Equal(t, want.wait, wait, "%q", value)
	}
	_, ok := RetryAfter(nil, now)
	require.False(t, ok)
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "-1", "120", "99999999999999999999", "Sun, 01 Mar 2026 12:00:30 GMT", "1e9", "\x00"} {
		f.Add(seed, int64(0))
	}
	f.Fuzz(func(t *testing.T, value string, now int64) {
		wait, ok := RetryAfter(http.Header{"Retry-After": {value}}, time.Unix(now, 0))
		require.GreaterOrEqual(t, wait, time.Duration(0))
		require.LessOrEqual(t, wait, MaxRetryAfter)
		if !ok {
			require.Zero(t, wait)
		}
	})
}
