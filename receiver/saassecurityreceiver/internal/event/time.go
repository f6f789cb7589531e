// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// timestamp reads a time: a date in one of timeLayouts, or the time since 1970
// as a number or the text of one. It fails for times that OTLP cannot express.
func timestamp(n jsonlog.Node) (pcommon.Timestamp, bool) {
	text := n.Scalar()
	at, err := time.Parse(time.RFC3339, text) // the usual form
	if err != nil {
		var ok bool
		if at, ok = parseTime(strings.TrimSpace(text)); !ok {
			return 0, false
		}
	}
	ok := at.Unix() >= 0 && at.Unix() < math.MaxInt64/int64(time.Second)
	return pcommon.NewTimestampFromTime(at), ok
}

func parseTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, false
	}
	if at, ok := sinceEpoch(text); ok {
		return at, true
	}
	text, offset, ok := cutZone(strings.ToUpper(text))
	if !ok {
		return time.Time{}, false
	}
	for _, layout := range timeLayouts {
		if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return at.Add(-offset), true
		}
	}
	return time.Time{}, false
}

// timeLayouts are the forms in which times occur, without their zone. Go accepts
// a fraction behind the second and letters of either case in all of them.
var timeLayouts = [...]string{
	"2006-01-02T15:04:05",
	time.DateTime, // syslog
	"2006-01-02T15:04",
	"2006-01-02 15:04",
	"2006/01/02 15:04:05",
	"20060102T150405",
	"Mon, 2 Jan 2006 15:04:05", // RFC 1123
	"2 Jan 2006 15:04:05",
	"Monday, 2-Jan-06 15:04:05", // RFC 850
	"Mon Jan _2 15:04:05 2006",  // C
	"Mon Jan _2 2006 15:04:05",  // JavaScript
	"Mon Jan _2 15:04:05 UTC 2006",
	"Mon Jan _2 15:04:05 GMT 2006",
	"Mon Jan _2 15:04:05 -0700 2006",
}

// zones are the names of zones that mean one offset only: those of RFC 822, in
// hours. Go takes any other name for one of UTC, which would be wrong.
var zones = map[string]int{
	"Z": 0, "UT": 0, "UTC": 0, "GMT": 0,
	"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}

// cutZone takes the zone off the end of a time in capitals: a name, an offset, or
// both, with or without blanks before it. Beside an offset a name counts for
// nothing. Without a zone it is UTC. ok is false for a name that is not known.
func cutZone(text string) (rest string, offset time.Duration, ok bool) {
	if i := strings.LastIndexByte(text, '('); i > 0 && text[len(text)-1] == ')' {
		text = strings.TrimSpace(text[:i]) // the zone's long name
	}
	rest, name := cutName(text)
	if rest, offset, ok = cutOffset(rest); ok {
		if name == "" {
			rest, _ = cutName(rest) // UTC+02:00
		}
		return rest, offset, true
	}
	hours, known := zones[name]
	return rest, time.Duration(hours) * time.Hour, known || name == ""
}

// cutName takes a word off the end of a text.
func cutName(text string) (rest, name string) {
	start := len(text)
	for start > 0 && isLetter(text[start-1]) {
		start--
	}
	return strings.TrimSpace(text[:start]), text[start:]
}

// cutOffset takes an offset off the end of a time. It stands behind the minutes
// or seconds; a sign before that belongs to the date.
func cutOffset(text string) (rest string, offset time.Duration, ok bool) {
	i := strings.LastIndexAny(text, "+-")
	if i <= 0 || i < strings.LastIndexByte(text, ':')-len("+00") {
		return text, 0, false
	}
	if offset, ok = parseOffset(text[i:]); !ok {
		return text, 0, false
	}
	return strings.TrimSpace(text[:i]), offset, true
}

// parseOffset reads +02:00, +0200 or +02. The day of a date without a time looks
// the same, but what is left of that has no layout.
func parseOffset(text string) (time.Duration, bool) {
	digits := strings.Replace(text[1:], ":", "", 1)
	if len(digits) == 2 {
		digits += "00"
	}
	if len(digits) != 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n/100 > 14 || n%100 > 59 {
		return 0, false
	}
	offset := time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute
	if text[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// The bounds of times since 1970 that are given as a number. What is smaller than
// the first is no time, but perhaps a count or a date without its dashes; the
// others tell the unit.
const (
	minSeconds = 946_684_800 // the year 2000
	maxSeconds = 1e11
	maxMillis  = 1e14
	maxMicros  = 1e17
)

// sinceEpoch reads seconds, milliseconds, microseconds or nanoseconds since 1970.
func sinceEpoch(text string) (time.Time, bool) {
	if c := text[len(text)-1]; c < '0' || c > '9' || strings.IndexByte(text, ':') >= 0 {
		return time.Time{}, false
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Trim(fraction, "0123456789") != "" { // with an exponent
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f >= minSeconds && f < math.MaxInt64) {
			return time.Time{}, false
		}
		n, fraction = int64(f), strconv.FormatFloat(f-math.Trunc(f), 'f', 9, 64)[2:]
	}
	unit := time.Second
	switch {
	case n < minSeconds:
		return time.Time{}, false
	case n >= maxMicros:
		unit = time.Nanosecond
	case n >= maxMillis:
		unit = time.Microsecond
	case n >= maxSeconds:
		unit = time.Millisecond
	}
	perSecond := int64(time.Second / unit)
	part, _ := strconv.ParseFloat("0."+fraction+"0", 64)
	at := time.Unix(n/perSecond, n%perSecond*int64(unit)+int64(math.Round(part*float64(unit))))
	return at.UTC(), at.Unix() >= minSeconds
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
