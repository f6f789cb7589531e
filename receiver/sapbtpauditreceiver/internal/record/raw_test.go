// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func split(t *testing.T, page string) []Raw {
	t.Helper()
	recs, err := Split([]byte(page))
	require.NoError(t, err)
	return recs
}

func keyOfRecord(t *testing.T, record string) Key {
	t.Helper()
	recs := split(t, "["+record+"]")
	require.Len(t, recs, 1)
	return recs[0].Key
}

func TestSplitReadsTheOuterFields(t *testing.T) {
	recs := split(t, ` [ {"category":"audit.configuration","message_uuid":" AB-1 ","time":"2026-10-02T11:20:01.037Z","message":"{}"} , {} ]`)
	require.Len(t, recs, 2)
	first := recs[0]
	require.JSONEq(t, `{"category":"audit.configuration","message_uuid":" AB-1 ","time":"2026-10-02T11:20:01.037Z","message":"{}"}`, first.Text)
	require.Equal(t, "AB-1", first.UUID)
	require.Equal(t, "audit.configuration", first.Category)
	require.Equal(t, time.Date(2026, 10, 2, 11, 20, 1, 37e6, time.UTC), first.Time)
	require.False(t, first.Malformed)
	require.Equal(t, Raw{Text: "{}", Key: recs[1].Key}, recs[1])
	require.Empty(t, split(t, "[]"))
}

func TestTimesAreReadInEveryAttestedForm(t *testing.T) {
	second := time.Date(2026, 10, 2, 11, 20, 1, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-10-02T11:20:01Z":           second,
		"2026-10-02T11:20:01.037Z":       second.Add(37 * time.Millisecond),
		"2026-10-02T11:20:01.955891584Z": second.Add(955891584),
		"2026-10-02T13:20:01+02:00":      second,
		"2026-10-02T11:20:01.5":          second.Add(500 * time.Millisecond),
		"2026-10-02T11:20:01.037+0000":   second.Add(37 * time.Millisecond),
		"1970-01-01T00:00:00Z":           time.Unix(0, 0).UTC(),
		"1969-12-31T23:59:59Z":           {},
		"2262-01-01T00:00:00Z":           {},
		"2026-13-02T11:20:01Z":           {},
		"yesterday":                      {},
		"":                               {},
	} {
		require.Equal(t, want, parseTime(text), text)
		require.Equal(t, want, parseTime(" "+text+"\t"), text)
	}
}

func TestSplitKeepsWhatIsNoObject(t *testing.T) {
	recs := split(t, `[null,"text",17,["a"],true,{"ok":1}]`)
	texts := make([]string, len(recs))
	for i, r := range recs {
		texts[i] = r.Text
		require.Equal(t, i < 5, r.Malformed)
	}
	require.Equal(t, []string{"null", `"text"`, "17", `["a"]`, "true", `{"ok":1}`}, texts)
}

func TestSplitRefusesWhatIsNoPage(t *testing.T) {
	for name, page := range map[string]string{
		"empty":   "",
		"html":    "<html>busy</html>",
		"object":  `{"error":{"code":"filter_category_not_supported"}}`,
		"null":    "null",
		"garbage": "[}",
	} {
		t.Run(name, func(t *testing.T) {
			recs, err := Split([]byte(page))
			require.ErrorIs(t, err, ErrNotAPage)
			require.Empty(t, recs)
			require.NotContains(t, err.Error(), "busy", "errors carry no content")
			require.NotContains(t, err.Error(), "filter_category")
		})
	}
}

func TestSplitSavesTheRecordsBeforeABreak(t *testing.T) {
	whole := `[{"message_uuid":"a","message":"{}"},{"message_uuid":"b"},{"message_uuid":"c"}]`
	want := split(t, whole)
	for cut := range len(whole) {
		recs, err := Split([]byte(whole[:cut]))
		require.ErrorIs(t, err, ErrNotAPage)
		require.Equal(t, want[:len(recs)], recs)
		require.GreaterOrEqual(t, len(recs), strings.Count(whole[:cut], "},"))
	}
	recs, err := Split([]byte(whole + "[]"))
	require.ErrorIs(t, err, ErrNotAPage)
	require.Equal(t, want, recs)
}

func TestSplitBoundsTheNumberOfRecords(t *testing.T) {
	recs, err := Split([]byte("[" + strings.Repeat("0,", maxRecords) + "0]"))
	require.ErrorIs(t, err, ErrNotAPage)
	require.Len(t, recs, maxRecords)
}

func TestSplitMakesValidUTF8(t *testing.T) {
	recs := split(t, "[{\"user\":\"a\xffb\"}]")
	require.True(t, utf8.ValidString(recs[0].Text))
	require.JSONEq(t, "{\"user\":\"a\uFFFDb\"}", recs[0].Text)
}

func TestSameEventHasTheSameKey(t *testing.T) {
	want := keyOfRecord(t, `{"message_uuid":"ab-12","tenant":"t","message":"{\"a\":1}"}`)
	for name, same := range map[string]string{
		"order":   `{"message":"{\"a\":1}","tenant":"t","message_uuid":"ab-12"}`,
		"blanks":  ` { "message_uuid" : "ab-12" , "tenant" : "t" , "message" : "{\"a\":1}" } `,
		"case":    `{"message_uuid":"AB-12","tenant":"t","message":"{\"a\":1}"}`,
		"padding": `{"message_uuid":"  ab-12 ","tenant":"t","message":"{\"a\":1}"}`,
		"again":   `{"message_uuid":"ab-12","tenant":"t","message":"{\"a\":1}"}`,
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, want, keyOfRecord(t, same))
		})
	}
	require.Equal(t,
		keyOfRecord(t, `{"message_uuid":"x","message":{"a":1,"o":{"p":1,"q":2}}}`),
		keyOfRecord(t, `{"message_uuid":"x","message":{"o":{"q":2,"p":1},"a":1}}`), "a message that is an object")
}

func TestDifferentEventsHaveDifferentKeys(t *testing.T) {
	keys := map[Key]string{}
	for _, record := range []string{
		`{"message_uuid":"ab-12","tenant":"t","message":"{\"a\":1}"}`,
		`{"message_uuid":"ab-13","tenant":"t","message":"{\"a\":1}"}`,
		`{"message_uuid":"ab-12","tenant":"u","message":"{\"a\":1}"}`,
		`{"message_uuid":"ab-12","tenant":"t","message":"{\"a\":2}"}`,
		`{"message_uuid":"ab12","tenant":"t","message":"{\"a\":1}"}`,
		`{"tenant":"t","message":"{\"a\":1}"}`,
		`{"tenant":"t","message":"{\"a\":2}"}`,
		`{"message_uuid":"ab-12","tenant":"t","message":"{\"a\":1}","extra":null}`,
		`null`, `"null"`, `{}`, `[]`,
	} {
		key := keyOfRecord(t, record)
		require.NotContains(t, keys, key, "%s and %s", record, keys[key])
		keys[key] = record
	}
}

// The Key is stored with the state: if it changes, events that were delivered before an update come again after it.
func TestKeyStaysTheSameFromVersionToVersion(t *testing.T) {
	form := "ab-12\x00{\x01n{\x01a\"x\",\x01b[1,null,],},\x04time\"2026-10-02T11:20:01Z\",}"
	sum := sha256.Sum256([]byte(form))
	require.Equal(t, Key(sum[:16]), keyOfRecord(t, `{"message_uuid":" AB-12 ","time":"2026-10-02T11:20:01Z","n":{"b":[1,null],"a":"x"}}`))
}
