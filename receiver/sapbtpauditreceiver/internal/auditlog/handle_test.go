// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

func TestReadsThePagingHeader(t *testing.T) {
	longest := strings.Repeat("h", maxHandle)
	for name, tt := range map[string]struct {
		header http.Header
		want   string
		ok     bool
	}{
		"none":             {nil, "", true},
		"blank":            {http.Header{"Paging": {" "}}, "", true},
		"no value":         {http.Header{"Paging": {"handle="}}, "", true},
		"blank value":      {http.Header{"Paging": {"handle=  "}}, "", true},
		"base64":           {http.Header{"Paging": {"handle=YWJj+/8=="}}, "YWJj+/8==", true},
		"three parts":      {http.Header{"Paging": {"handle=2026-03-01T10:00:00.000Z<9a<2026-03-01T10:00:00.000Z"}}, "2026-03-01T10:00:00.000Z<9a<2026-03-01T10:00:00.000Z", true},
		"blanks around":    {http.Header{"Paging": {"  Handle = abc=  "}}, "abc=", true},
		"twice the same":   {http.Header{"Paging": {"handle=a", "handle=a"}}, "a", true},
		"twice, different": {http.Header{"Paging": {"handle=a", "handle=b"}}, "", false},
		"no name":          {http.Header{"Paging": {"=a"}}, "", false},
		"other name":       {http.Header{"Paging": {"next=a"}}, "", false},
		"no sign":          {http.Header{"Paging": {"a"}}, "", false},
		"longest":          {http.Header{"Paging": {"handle=" + longest}}, longest, true},
		"too long":         {http.Header{"Paging": {"handle=h" + longest}}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := nextHandle(tt.header)
			require.Equal(t, tt.ok, ok)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestEscapesAHandleExactlyOnce(t *testing.T) {
	for handle, want := range map[string]string{
		"YWJj+/8==":                    "YWJj%2B%2F8%3D%3D",
		"2026-03-01T10:00:00.000Z<9a":  "2026-03-01T10%3A00%3A00.000Z%3C9a",
		"2026-03-01T10%3A00%3A00%3C9a": "2026-03-01T10%3A00%3A00%3C9a", // escaped already: as it came
		"2026-03-01T10:00:00%3c9a":     "2026-03-01T10%3A00%3A00%3c9a",
		"a%2Bb+c%25d":                  "a%2Bb+c%25d",
		"a%3Cb&c#d;e f":                "a%3Cb%26c%23d%3Be+f",
		"100%":                         "100%25", // not an escape
		"a%3Cb%zz":                     "a%253Cb%25zz",
	} {
		require.Equal(t, want, escapeHandle(handle), handle)
	}
}

func TestFallsBackToTheOtherStyleOfPagingAndRemembersIt(t *testing.T) {
	full, alone := ask+"&handle=", "handle="
	a := &api{t: t, answers: []answer{
		ok("h1"), fails(400), ok("h2"), // with times is refused, alone works
		ok("h3"), ok(""), // and so on from then on
		ok("h1"), ok("h2"), // the first page is asked for by time as ever
		fails(400), ok("h9"), ok(""), // the server has changed its mind
	}}
	c := a.client()
	for _, handle := range []string{"", "h1", "h2", "h3", "", "h1", "h2", "h9"} {
		_, err := c.Page(t.Context(), Query{From: from, To: to, Categories: categories, Handle: handle})
		require.NoError(t, err)
	}
	require.Equal(t, []string{
		ask, full + "h1", alone + "h1",
		alone + "h2", alone + "h3",
		ask, alone + "h1",
		alone + "h2", full + "h2", full + "h9",
	}, a.queries)
}

func TestReportsAHandleThatIsRefusedInBothStyles(t *testing.T) {
	a := &api{t: t, answers: []answer{fails(400), fails(400), ok("")}}
	c := a.client()
	_, err := c.Page(t.Context(), Query{From: from, To: to, Handle: "old"})
	require.ErrorIs(t, err, ErrHandle)
	require.Equal(t, httpcall.KindClient, httpcall.KindOf(err))
	_, err = c.Page(t.Context(), Query{From: from, To: to, Handle: "new"})
	require.NoError(t, err)
	require.Equal(t, []string{times + "&handle=old", "handle=old", times + "&handle=new"}, a.queries, "the style stays")
}

func TestKeepsTheHandleWhenTheFallbackFailsForAnotherReason(t *testing.T) {
	a := &api{t: t, answers: []answer{fails(400), fails(503)}}
	_, err := a.client().Page(t.Context(), Query{From: from, To: to, Handle: "h1"})
	require.NotErrorIs(t, err, ErrHandle)
	require.Equal(t, httpcall.KindServer, httpcall.KindOf(err))
}

func TestARefusedFirstPageIsNoMatterOfHandles(t *testing.T) {
	a := &api{t: t, answers: []answer{fails(400)}}
	_, err := a.client().Page(t.Context(), Query{From: from, To: to})
	require.NotErrorIs(t, err, ErrHandle)
	require.Len(t, a.queries, 1)
}

func FuzzHandle(f *testing.F) {
	for _, seed := range []string{
		"", "handle=", "handle=YWJj+/8==", "handle=2026-03-01T10:00:00Z<9a<b", "Handle = a%3Cb ", "handle=a%3C&b#c;d", "x=%", "\x00=\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		handle, ok := nextHandle(http.Header{"Paging": {header}})
		if !ok || handle == "" {
			require.Empty(t, handle)
			return
		}
		require.LessOrEqual(t, len(handle), maxHandle)
		_, after, _ := strings.Cut(header, "=")
		require.Contains(t, after, handle)

		// The server sees one parameter with the handle as it gave it, or as that reads unescaped.
		values, err := url.ParseQuery("a=1&handle=" + escapeHandle(handle) + "&z=2")
		require.NoError(t, err)
		require.Len(t, values, 3)
		if values.Get("handle") != handle {
			unescaped, err := url.QueryUnescape(handle)
			require.NoError(t, err)
			require.Equal(t, unescaped, values.Get("handle"))
		}
	})
}
