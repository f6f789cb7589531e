// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
)

func TestGetsAPage(t *testing.T) {
	date := time.Date(2026, 3, 1, 12, 0, 7, 0, time.UTC)
	a := &api{t: t, answers: []answer{{200, ` [{"a":1}]`, map[string]string{"Paging": "handle=aGk+Lw==", "Date": date.Format(http.TimeFormat)}}}}
	page, err := a.client().Page(t.Context(), Query{From: from, To: to, Categories: categories})
	require.NoError(t, err)
	require.Equal(t, &Page{Body: []byte(` [{"a":1}]`), Next: "aGk+Lw==", Date: date}, page)
	require.Equal(t, []string{ask}, a.queries)
	require.Equal(t, []string{"canary-t1"}, a.tokens)
	require.Equal(t, []string{OutcomeOK}, a.outcomes)
}

func TestTakesANoContentForAnEmptyPage(t *testing.T) {
	a := &api{t: t, answers: []answer{fails(204), {204, "", map[string]string{"Paging": "handle=x"}}}}
	c := a.client()
	page, err := c.Page(t.Context(), Query{From: from, To: to})
	require.NoError(t, err)
	require.Equal(t, &Page{Empty: true}, page)
	require.Nil(t, page.Body)
	page, err = c.Page(t.Context(), Query{From: from, To: to})
	require.NoError(t, err)
	require.Equal(t, "x", page.Next)
	require.Equal(t, []string{times, times}, a.queries)
	require.Equal(t, []string{OutcomeEmpty, OutcomeEmpty}, a.outcomes)
}

func TestAsksInWholeSecondsUTC(t *testing.T) {
	zone := time.FixedZone("east", 2*60*60)
	for _, tt := range []struct {
		from, to time.Time
		want     string
	}{
		{from.In(zone), to.In(zone), times},
		{from.Add(999_999_999), to.Add(-999_999_999), times},
		{from.Add(999_999_999), to.Add(-1), times},
	} {
		require.Equal(t, tt.want, Query{From: tt.from, To: tt.to}.encode(false))
	}
}

func TestRefusesAnEndpointThatIsNoURL(t *testing.T) {
	for _, endpoint := range []string{"", "auditlog.example.com", "https://id:canary@\x7f"} {
		_, err := New(Settings{Endpoint: endpoint})
		require.EqualError(t, err, "endpoint: is not a valid URL")
	}
}

func TestWorksWithoutTokensOfItsOwn(t *testing.T) {
	a := &api{t: t, answers: []answer{ok(""), fails(401)}}
	c := a.client(func(s *Settings) { s.Tokens = nil })
	_, err := c.Page(t.Context(), Query{From: from, To: to})
	require.NoError(t, err)
	_, err = c.Page(t.Context(), Query{From: from, To: to})
	require.Equal(t, httpcall.KindUnauthorized, httpcall.KindOf(err))
	require.Equal(t, []string{"", ""}, a.tokens)
}

func TestAsksForTheSamePageAgainWithAFreshToken(t *testing.T) {
	for _, status := range []int{401, 403} {
		a := &api{t: t, answers: []answer{ok("h1"), fails(status), ok("h2"), ok("")}}
		c := a.client()
		for _, handle := range []string{"", "h1", "h2"} {
			_, err := c.Page(t.Context(), Query{From: from, To: to, Handle: handle})
			require.NoError(t, err)
		}
		require.Equal(t, []string{times, times + "&handle=h1", times + "&handle=h1", times + "&handle=h2"}, a.queries)
		require.Equal(t, []string{"canary-t1", "canary-t1", "canary-t2", "canary-t2"}, a.tokens)
	}
}

func TestGivesUpAfterTheSecondRefusalOfATokens(t *testing.T) {
	for status, tt := range map[int]struct {
		kind    httpcall.Kind
		outcome string
		hint    string
	}{
		401: {httpcall.KindUnauthorized, OutcomeUnauthorized, "must come from the same service key"},
		403: {httpcall.KindForbidden, OutcomeForbidden, "auditlog-management, plan default"},
	} {
		a := &api{t: t, answers: []answer{fails(status), fails(status)}}
		_, err := a.client().Page(t.Context(), Query{From: from, To: to})
		require.Equal(t, tt.kind, httpcall.KindOf(err))
		require.ErrorContains(t, err, tt.hint)
		require.Equal(t, []string{tt.outcome, tt.outcome}, a.outcomes)
		require.Equal(t, 2, a.granted)
	}
}

func TestTellsAMissingTokenFromARefusedRequest(t *testing.T) {
	for _, denies := range []int{1, 2} {
		a := &api{t: t, denies: denies}
		if denies == 2 {
			a.answers = []answer{fails(401)}
		}
		_, err := a.client().Page(t.Context(), Query{From: from, To: to, Handle: "h1"})
		require.ErrorIs(t, err, ErrToken)
		require.ErrorIs(t, err, oauth.ErrRefused)
		require.NotErrorIs(t, err, ErrHandle)
		require.Len(t, a.queries, denies-1)
	}
}

func TestDoesNotTakeATokenEndpointsRefusalForTheHandles(t *testing.T) {
	a := &api{t: t}
	c := a.client(func(s *Settings) {
		s.Tokens = oauth.New(oauth.Settings{
			TokenURL: "https://uaa.example.com/", Style: oauth.MutualTLS,
			Caller: httpcall.New(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: req}, nil
			})}),
		})
	})
	_, err := c.Page(t.Context(), Query{From: from, To: to, Handle: "h1"})
	require.Equal(t, httpcall.KindClient, httpcall.KindOf(err))
	require.NotErrorIs(t, err, ErrHandle)
}

func TestReportsOutcomes(t *testing.T) {
	long := strings.Repeat("x", 1001)
	for name, tt := range map[string]struct {
		answer  answer
		kind    httpcall.Kind
		outcome string
		hint    string
	}{
		"throttled":         {answer{429, "<html>", map[string]string{"Retry-After": "3"}}, httpcall.KindThrottled, OutcomeThrottled, "retry after 3s"},
		"bad request":       {fails(400), httpcall.KindClient, OutcomeClientError, "HTTP 400"},
		"not found":         {fails(404), httpcall.KindClient, OutcomeClientError, "field url of the service key"},
		"server error":      {fails(500), httpcall.KindServer, OutcomeServerError, "HTTP 500"},
		"not implemented":   {fails(501), httpcall.KindNotImplemented, OutcomeServerError, "HTTP 501"},
		"bad gateway":       {answer{502, "<html>", nil}, httpcall.KindServer, OutcomeServerError, "HTTP 502"},
		"server's timeout":  {fails(408), httpcall.KindTimeout, OutcomeTimeout, "HTTP 408"},
		"no connection":     {fails(0), httpcall.KindNetwork, OutcomeNetwork, "closed the connection"},
		"redirect":          {answer{302, "", map[string]string{"Location": "https://b/"}}, httpcall.KindRedirect, OutcomeProtocol, "never followed"},
		"too large":         {answer{200, long, nil}, httpcall.KindTooLarge, OutcomeProtocol, "larger than 1000 bytes"},
		"no body":           {fails(200), httpcall.KindProtocol, OutcomeProtocol, "no body"},
		"blank body":        {answer{200, " \r\n\t", nil}, httpcall.KindProtocol, OutcomeProtocol, "no body"},
		"web page":          {answer{200, "\n<!DOCTYPE html>", nil}, httpcall.KindProtocol, OutcomeProtocol, "web page"},
		"part of a body":    {answer{206, "[]", nil}, httpcall.KindProtocol, OutcomeProtocol, "unexpected status (HTTP 206)"},
		"accepted":          {fails(202), httpcall.KindProtocol, OutcomeProtocol, "unexpected status (HTTP 202)"},
		"odd paging":        {answer{200, "[]", map[string]string{"Paging": "next=2"}}, httpcall.KindProtocol, OutcomeProtocol, "Paging header"},
		"odd paging of 204": {answer{204, "", map[string]string{"Paging": "more"}}, httpcall.KindProtocol, OutcomeProtocol, "Paging header"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{t: t, answers: []answer{tt.answer}}
			page, err := a.client().Page(t.Context(), Query{From: from, To: to})
			require.Nil(t, page)
			require.Equal(t, tt.kind, httpcall.KindOf(err))
			require.ErrorContains(t, err, "retrieving audit log records: auditlog.example.com: ")
			require.ErrorContains(t, err, tt.hint)
			require.Equal(t, []string{tt.outcome}, a.outcomes)
		})
	}
}

func TestARefusedQueryWithCategoriesIsExplained(t *testing.T) {
	for name, tt := range map[string]struct {
		query Query
		hint  bool
	}{
		"with":                         {Query{Categories: categories}, true},
		"without":                      {Query{}, false},
		"a handle is what they refuse": {Query{Categories: categories, Handle: "a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{t: t, answers: []answer{fails(400), fails(400)}}
			_, err := a.client().Page(t.Context(), tt.query)
			require.Equal(t, tt.hint, strings.Contains(err.Error(), "remove categories"))
		})
	}
}

func TestRecognisesThatCategoriesCannotBeFiltered(t *testing.T) {
	const code = `{"error":{"code":"filter_category_not_supported","message":"no"}}`
	for name, tt := range map[string]struct {
		body       string
		categories []string
		handle     string
		want       bool
	}{
		"documented":               {code, categories, "", true},
		"filter kept by a handle":  {code, nil, "a", true},
		"nothing to filter":        {code, nil, "", false},
		"code lost on the way":     {"<html>", categories, "", true},
		"another reason":           {`{"error":{"code":"maintenance"}}`, categories, "", false},
		"no categories, no reason": {"", nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{t: t, answers: []answer{{501, tt.body, nil}}}
			_, err := a.client().Page(t.Context(), Query{From: from, To: to, Categories: tt.categories, Handle: tt.handle})
			require.Equal(t, tt.want, errors.Is(err, ErrCategoryFilter))
			require.Equal(t, httpcall.KindNotImplemented, httpcall.KindOf(err))
		})
	}
}

func TestMeasuresTheRequestAlone(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		var took time.Duration
		a := &api{t: t, answers: []answer{ok("")}, onAPI: func(*http.Request) { time.Sleep(2 * time.Second) }}
		c := a.client(func(s *Settings) {
			s.Wait = func(context.Context) error { a.waits++; time.Sleep(time.Minute); return nil }
			s.OnRequest = func(_ string, d time.Duration) { took = d }
		})
		_, err := c.Page(t.Context(), Query{From: from, To: to})
		require.NoError(t, err)
		require.Equal(t, 2*time.Second, took)
	})
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := &api{t: t, answers: []answer{fails(0)}, onAPI: func(*http.Request) { cancel() }}
	_, err := a.client().Page(ctx, Query{From: from, To: to})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, a.outcomes, "a canceled request tells nothing about the API")

	noTurn := errors.New("no turn")
	_, err = a.client(func(s *Settings) { s.Wait = func(context.Context) error { return noTurn } }).Page(t.Context(), Query{From: from, To: to})
	require.Equal(t, noTurn, err)
}

func TestNoErrorShowsTokenSecretHandleOrRecords(t *testing.T) {
	for _, status := range []int{200, 302, 400, 401, 403, 429, 501, 503} {
		again := answer{status, `{"error":"$TOKEN","canary":"` + strings.Repeat("canary", 200) + `"}`, map[string]string{"Location": "https://canary/"}}
		a := &api{t: t, answers: []answer{again, again, again, again}}
		_, err := a.client().Page(t.Context(), Query{From: from, To: to, Handle: "canary", Categories: []string{"canary"}})
		require.Error(t, err)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "canary")
	}
}
