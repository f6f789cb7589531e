// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

func samplePages(tb testing.TB) [][]byte {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(payloads, "*.json"))
	require.NoError(tb, err)
	require.NotEmpty(tb, names)
	var pages [][]byte
	for _, name := range names {
		page, err := os.ReadFile(name)
		require.NoError(tb, err)
		var compact bytes.Buffer
		require.NoError(tb, json.Compact(&compact, page))
		pages = append(pages, compact.Bytes())
	}
	return pages
}

func FuzzSplit(f *testing.F) {
	for _, page := range samplePages(f) {
		f.Add(page)
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		requireSplit(t, page)
	})
}

func FuzzAppend(f *testing.F) {
	for _, page := range samplePages(f) {
		var recs []json.RawMessage
		require.NoError(f, json.Unmarshal(page, &recs))
		for _, rec := range recs {
			f.Add([]byte(rec))
		}
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		requireNothingLost(t, record)
	})
}

// Every run of the tests damages all samples in some thousand ways, always the same ones.
func TestDamagedPagesAndRecordsLoseNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	pages := samplePages(t)
	for range 1500 {
		page := damage(rnd, pages[rnd.IntN(len(pages))])
		requireSplit(t, page)
		requireNothingLost(t, bytes.TrimSuffix(bytes.TrimPrefix(page, []byte("[")), []byte("]")))
	}
}

func damage(rnd *rand.Rand, page []byte) []byte {
	const alphabet = "{}[]:,\"\\u0-.eE nt='()\x00\xff"
	page = bytes.Clone(page)
	for range 1 + rnd.IntN(4) {
		at := rnd.IntN(len(page))
		switch rnd.IntN(4) {
		case 0:
			page[at] = alphabet[rnd.IntN(len(alphabet))]
		case 1:
			page = append(page[:at], page[at+1:]...)
		case 2:
			page = append(page[:at], append([]byte{alphabet[rnd.IntN(len(alphabet))]}, page[at:]...)...)
		default:
			if len(page) > 20 {
				page = page[:max(at, 10)]
			}
		}
	}
	return page
}

// requireSplit compares Split with encoding/json: a page is accepted by both or by neither, and has the same records.
func requireSplit(t *testing.T, page []byte) {
	t.Helper()
	var want []json.RawMessage
	isPage := json.Unmarshal(page, &want) == nil && want != nil
	recs, err := Split(bytes.Clone(page))
	if !isPage {
		require.ErrorIs(t, err, ErrNotAPage)
		for _, r := range recs {
			require.True(t, json.Valid([]byte(r.Text)), "half a record: %q", r.Text)
		}
		return
	}
	require.NoError(t, err)
	require.Len(t, recs, len(want))
	for i, r := range recs {
		require.Equal(t, jsonlog.Text(want[i]), r.Text)
		require.Equal(t, !bytes.HasPrefix(want[i], []byte("{")), r.Malformed)
	}
}

// requireNothingLost checks that whatever a record holds, its log record has an identity and a body that holds all of it,
// and that an exporter can send it.
func requireNothingLost(t *testing.T, record []byte) {
	t.Helper()
	raw := Raw{Text: string(bytes.ToValidUTF8(record, []byte("\uFFFD")))}
	if recs, err := Split(append(append([]byte{'['}, record...), ']')); err == nil && len(recs) == 1 {
		raw = recs[0]
	}
	logs, into := testMapper(nil).NewLogs()
	testMapper(nil).Append(into, &raw, observed)
	OwnReading(&raw, "client")
	rec := into.At(0)
	require.NotEmpty(t, rec.EventName())
	require.NotZero(t, rec.SeverityNumber())
	uid, ok := rec.Attributes().Get(attrUID)
	require.True(t, ok)
	require.NotEmpty(t, uid.Str())
	require.LessOrEqual(t, rec.Attributes().Len(), maxAttributes+1)
	for key, v := range rec.Attributes().All() {
		require.True(t, utf8.ValidString(key) && utf8.ValidString(v.AsString()), "%q: %q", key, v.AsString())
	}

	whole, _ := redact(raw.Text)
	var outer object
	if json.Unmarshal([]byte(whole), &outer) == nil && len(outer) > 0 {
		require.Len(t, rec.Body().Map().AsRaw(), len(outer))
		requireOpened(t, outer, rec.Body().Map().AsRaw())
	} else {
		require.Equal(t, whole, rec.Body().Str())
	}
	_, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
	require.NoError(t, err)
}

// requireOpened compares members: those that were opened stand for a string whose JSON they are.
func requireOpened(t *testing.T, want, got object) {
	t.Helper()
	for key, v := range want {
		g, ok := got[key]
		require.True(t, ok, key)
		switch text, _ := v.(string); {
		case key != "message":
		case text != "" && g != text:
			var inner any
			require.NoError(t, json.Unmarshal([]byte(text), &inner))
			require.IsType(t, inner, g)
		case text != "":
			require.Equal(t, text, g)
		}
	}
}
