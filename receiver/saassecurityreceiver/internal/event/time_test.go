// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimeIsReadInEveryForm(t *testing.T) {
	want := time.Date(2022, 5, 30, 6, 40, 59, 0, time.UTC)
	const millis = 155 * time.Millisecond
	tests := map[string]time.Time{
		`"2022-05-30T06:40:59Z"`:            want,
		`"2022-05-30T06:40:59.155Z"`:        want.Add(millis),
		`"2022-05-30T06:40:59,155Z"`:        want.Add(millis),
		`"2022-05-30T06:40:59.123456789Z"`:  want.Add(123456789),
		`"2022-05-30T06:40:59.155Z "`:       want.Add(millis),
		`"\t 2022-05-30T06:40:59Z"`:         want,
		`"2022-05-30t06:40:59z"`:            want,
		`"2022-05-30 06:40:59"`:             want,
		`"2022-05-30 06:40:59.5"`:           want.Add(500 * time.Millisecond),
		`"2022-05-30T06:40:59"`:             want,
		`"2022/05/30 06:40:59"`:             want,
		`"20220530T064059Z"`:                want,
		`"2022-05-30T06:40Z"`:               want.Add(-59 * time.Second),
		`"2022-05-30 06:40"`:                want.Add(-59 * time.Second),
		`"2022-05-30T08:40+02:00"`:          want.Add(-59 * time.Second),
		`"2022-05-30T06:40:59.155Z\u00a0 "`: want.Add(millis),

		`"2022-05-30T08:40:59+02:00"`:                                        want,
		`"2022-05-30T08:40:59+0200"`:                                         want,
		`"2022-05-30T08:40:59+02"`:                                           want,
		`"2022-05-30 01:40:59 -0500"`:                                        want,
		`"2022-05-30 12:10:59.155 +05:30"`:                                   want.Add(millis),
		`"2022-05-30 06:40:59 UTC"`:                                          want,
		`"2022-05-30 06:40:59.155 utc"`:                                      want.Add(millis),
		`"2022-05-30T06:40:59 GMT"`:                                          want,
		`"2022-05-30T06:40:59UTC"`:                                           want,
		`"2022-05-30 06:40:59 Z"`:                                            want,
		`"2022-05-30 08:40:59 UTC+2:00"`:                                     {},
		`"2022-05-30 08:40:59 UTC+02:00"`:                                    want,
		`"2022-05-30 06:40:59 +0000 UTC"`:                                    want,
		`"2022-05-30 02:40:59 EDT"`:                                          want,
		`"2022-05-30 08:40:59 CEST"`:                                         {},
		`"2022-05-30 06:40:59 IST"`:                                          {},
		`"Mon, 30 May 2022 06:40:59 GMT"`:                                    want,
		`"Mon, 30 May 2022 06:40:59 UTC"`:                                    want,
		`"Mon, 30 May 2022 08:40:59 +0200"`:                                  want,
		`"30 May 2022 06:40:59 GMT"`:                                         want,
		`"Monday, 30-May-22 06:40:59 GMT"`:                                   want,
		`"Mon May 30 06:40:59 2022"`:                                         want,
		`"Mon May 30 06:40:59 UTC 2022"`:                                     want,
		`"Mon May 30 08:40:59 +0200 2022"`:                                   want,
		`"Mon May 30 2022 08:40:59 GMT+0200 (Central European Summer Time)"`: want,

		`1653892859`:                       want,
		`"1653892859"`:                     want,
		`1653892859155`:                    want.Add(millis),
		`"1653892859155"`:                  want.Add(millis),
		`" 1653892859155 "`:                want.Add(millis),
		`1653892859155000`:                 want.Add(millis),
		`1653892859155000000`:              want.Add(millis),
		`1653892859.155`:                   want.Add(millis),
		`"1653892859.155"`:                 want.Add(millis),
		`1653892859.0`:                     want,
		`1.653892859e9`:                    want,
		`1.653892859155E+12`:               want.Add(millis),
		`946684799`:                        {},
		`7`:                                {},
		`0`:                                {},
		`-1653892859`:                      {},
		`20220530`:                         {},
		`20220530064059`:                   {},
		`202205300640`:                     {},
		`9223372036854775807`:              {},
		`99999999999999999999`:             {},
		`1e400`:                            {},
		`"1653892859 seconds"`:             {},
		`"1970-01-01T00:00:00Z"`:           time.Unix(0, 0),
		`null`:                             {},
		`""`:                               {},
		`"   "`:                            {},
		`true`:                             {},
		`"yesterday"`:                      {},
		`"-"`:                              {},
		`"+"`:                              {},
		`"."`:                              {},
		`"()"`:                             {},
		`"2022-05-30"`:                     {},
		`"30/05/2022 06:40:59"`:            {},
		`"1969-12-31T23:59:59Z"`:           {},
		`"2262-04-12T00:00:00Z"`:           {},
		`"9999-12-31T23:59:59Z"`:           {},
		`"2022-13-30T06:40:59Z"`:           {},
		`["2022-05-30T06:40:59Z"]`:         {},
		`"2022-05-30T06:40:59Z and so on"`: {},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			record, odd := one(t, `{"log_type":"incident","timestamp":`+text+`}`)
			require.Equal(t, observed, record.ObservedTimestamp().AsTime())
			if want.IsZero() {
				require.Equal(t, observed, record.Timestamp().AsTime())
				require.Equal(t, NoTimestamp, odd)
			} else {
				require.Equal(t, want.UTC(), record.Timestamp().AsTime())
				require.Zero(t, odd)
			}
			body, err := json.Marshal(record.Body().AsRaw())
			require.NoError(t, err)
			if text != `1e400` && text != `99999999999999999999` { // which survive as text
				require.JSONEq(t, `{"log_type":"incident","timestamp":`+text+`}`, string(body), "the raw time stays")
			}
		})
	}
}
