// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func TestReturnsTheWholeReplyOfASuccess(t *testing.T) {
	date := time.Date(2026, 8, 3, 10, 11, 12, 0, time.UTC)
	c := New(&http.Client{Transport: canned(http.StatusOK, "[1,2]", "Date", date.Format(http.TimeFormat), "Paging", "handle=x")})
	resp, err := c.Do(t.Context(), op, get(t, "https://api.example.com/a"))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.Status)
	require.Equal(t, "[1,2]", string(resp.Body))
	require.Equal(t, "handle=x", resp.Header.Get("paging"))
	require.True(t, date.Equal(resp.Date))
}

func TestLeavesAnUnreadableDateZero(t *testing.T) {
	for _, date := range []string{"", "yesterday"} {
		resp, err := New(&http.Client{Transport: canned(http.StatusNoContent, "", "Date", date)}).Do(t.Context(), op, get(t, "https://a"))
		require.NoError(t, err)
		require.Equal(t, http.StatusNoContent, resp.Status)
		require.Empty(t, resp.Body)
		require.True(t, resp.Date.IsZero())
	}
}

func TestSortsRefusalsByStatus(t *testing.T) {
	for status, want := range map[int]Kind{
		301: KindRedirect, 302: KindRedirect, 304: KindRedirect, 307: KindRedirect, 308: KindRedirect,
		400: KindClient, 401: KindUnauthorized, 403: KindForbidden, 404: KindClient, 408: KindTimeout, 429: KindThrottled,
		500: KindServer, 501: KindNotImplemented, 502: KindServer, 503: KindServer, 504: KindServer, 599: KindServer, 600: KindProtocol,
	} {
		t.Run(want.String(), func(t *testing.T) {
			resp, err := New(&http.Client{Transport: canned(status, "<html>busy</html>")}).Do(t.Context(), op, get(t, "https://api.example.com/a"))
			require.Nil(t, resp)
			e := asError(t, err)
			require.Equal(t, want, e.Kind)
			require.Equal(t, want, KindOf(fmt.Errorf("outer: %w", err)))
			require.Equal(t, status, e.Status)
			require.Equal(t, "api.example.com", e.Host)
			require.Equal(t, want == KindTimeout, e.Timeout())
		})
	}
}

func TestKeepsOnlyAMachineCodeOfAnErrorBody(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_client","error_description":"x"}`:               "invalid_client",
		`{"error":{"code":"filter_category_not_supported","message":"x"}}`: "filter_category_not_supported",
		`{"error":"Bad credentials"}`:                                      "",
		`{"error":"` + strings.Repeat("a", 64) + `"}`:                      strings.Repeat("a", 64),
		`{"error":"` + strings.Repeat("a", 65) + `"}`:                      "",
		`{"error":"a\nb"}`:        "",
		`{"error":"né"}`:          "",
		`{"error":{"code":7}}`:    "",
		`{"error":7}`:             "",
		`{"error":null}`:          "",
		`{}`:                      "",
		`["error"]`:               "",
		`<html>error</html>`:      "",
		``:                        "",
		`{"error":"unauthorized"`: "",
		`{"pad":"` + strings.Repeat("x", maxErrorBody) + `","error":"late"}`: "",
	} {
		_, err := New(&http.Client{Transport: canned(400, body)}).Do(t.Context(), op, get(t, "https://a"))
		require.Equal(t, want, asError(t, err).Code, "body %.40q", body)
	}
}

func TestDropsACodeThatEchoesACredential(t *testing.T) {
	req := get(t, "https://a")
	req.Header.Set("Authorization", "Bearer canary-7777")
	_, err := New(&http.Client{Transport: canned(401, `{"error":"canary-7777"}`)}).Do(t.Context(), op, req)
	require.Empty(t, asError(t, err).Code)
	require.NotContains(t, err.Error(), "canary")
}

func TestTellsHowLongTheServerAskedToWait(t *testing.T) {
	// The server's clock is a day off: the wait is counted on that clock alone.
	date := time.Now().Add(24 * time.Hour).UTC()
	_, err := New(&http.Client{Transport: canned(429, "", "Date", date.Format(http.TimeFormat),
		"Retry-After", date.Add(90*time.Second).Format(http.TimeFormat))}).Do(t.Context(), op, get(t, "https://a.example"))
	e := asError(t, err)
	require.True(t, e.HasRetryAfter)
	require.Equal(t, 90*time.Second, e.RetryAfter)
	require.Equal(t, "testing the call: a.example: too many requests (HTTP 429, retry after 1m30s)", err.Error())

	_, err = New(&http.Client{Transport: canned(503, "", "Retry-After", "7")}).Do(t.Context(), op, get(t, "https://a"))
	require.Equal(t, 7*time.Second, asError(t, err).RetryAfter)
}

func TestKeepsWhatCameOfABrokenBody(t *testing.T) {
	body := io.MultiReader(strings.NewReader(`{"events":[{"a":1},`), iotest.ErrReader(io.ErrUnexpectedEOF))
	c := New(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Request: req}, nil
	})})
	resp, err := c.Do(t.Context(), op, get(t, "https://a"))
	require.Equal(t, KindBrokenBody, KindOf(err))
	require.Equal(t, 200, asError(t, err).Status)
	require.NotNil(t, resp)
	require.JSONEq(t, `{"events":[{"a":1}]}`, strings.TrimSuffix(string(resp.Body), ",")+"]}")
}

func TestLimitsTheBody(t *testing.T) {
	for size, kind := range map[int]Kind{99: KindUnknown, 100: KindUnknown, 101: KindTooLarge, 5000: KindTooLarge} {
		c := New(&http.Client{Transport: canned(200, strings.Repeat("x", size))}, WithMaxBody(100))
		resp, err := c.Do(t.Context(), op, get(t, "https://a"))
		require.Equal(t, kind, KindOf(err), "size %d", size)
		require.Len(t, resp.Body, min(size, 100))
	}
}

func TestDistinguishesTimeoutFromCancellation(t *testing.T) {
	hang := tripper(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	for name, tt := range map[string]struct {
		client  *http.Client
		context func(context.Context) (context.Context, context.CancelFunc)
		want    Kind
		is      error
	}{
		"client timeout": {
			&http.Client{Transport: hang, Timeout: time.Minute},
			context.WithCancel, KindTimeout, context.DeadlineExceeded,
		},
		"context deadline": {
			&http.Client{Transport: hang},
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Minute)
			},
			KindTimeout, context.DeadlineExceeded,
		},
		"cancellation": {
			&http.Client{Transport: hang},
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(time.Minute, cancel)
				return ctx, cancel
			},
			KindCanceled, context.Canceled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				ctx, cancel := tt.context(t.Context())
				defer cancel()
				begin := time.Now()
				_, err := New(tt.client).Do(ctx, op, get(t, "https://a"))
				require.Equal(t, tt.want, KindOf(err))
				require.ErrorIs(t, err, tt.is)
				require.Equal(t, time.Minute, time.Since(begin))
			})
		})
	}
}

func TestKeepsWhatCameBeforeTheTimeout(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		slow := tripper(func(req *http.Request) (*http.Response, error) {
			r, w := io.Pipe()
			go func() {
				_, _ = w.Write([]byte("[1,"))
				<-req.Context().Done()
				w.CloseWithError(req.Context().Err())
			}()
			return &http.Response{StatusCode: http.StatusOK, Body: r, Request: req}, nil
		})
		resp, err := New(&http.Client{Transport: slow, Timeout: time.Second}).Do(t.Context(), op, get(t, "https://a"))
		require.Equal(t, KindTimeout, KindOf(err))
		require.Equal(t, "[1,", string(resp.Body))
	})
}

func TestSendsExactlyOneRequest(t *testing.T) {
	for name, answer := range map[string]tripper{
		"success":      canned(200, "{}"),
		"refusal":      canned(503, ""),
		"throttled":    canned(429, "", "Retry-After", "0"),
		"redirect":     canned(307, "", "Location", "https://elsewhere.example/"),
		"bad redirect": canned(302, "", "Location", "http://[broken"),
		"unauthorized": canned(401, "", "WWW-Authenticate", "Basic"),
		"no reply":     func(*http.Request) (*http.Response, error) { return nil, io.EOF },
	} {
		t.Run(name, func(t *testing.T) {
			sent := 0
			c := New(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
				sent++
				return answer(req)
			})})
			_, err := c.Do(t.Context(), op, get(t, "https://a"))
			require.Equal(t, 1, sent)
			require.Equal(t, name == "success", err == nil)
		})
	}
}

func TestKeepsTheCallersClientAsItWas(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Transport: canned(200, "", "Set-Cookie", "a=b"), Jar: jar}
	_, err = New(client).Do(t.Context(), op, get(t, "https://a.example/"))
	require.NoError(t, err)
	require.Nil(t, client.CheckRedirect)
	require.Len(t, jar.Cookies(&url.URL{Scheme: "https", Host: "a.example", Path: "/"}), 1)
}

func TestTheAddressDoesNotChangeTheKind(t *testing.T) {
	cut := tripper(func(*http.Request) (*http.Response, error) { return nil, io.EOF })
	_, err := New(&http.Client{Transport: cut}).Do(t.Context(), op, get(t, "https://a/Content-Length?transfer encoding"))
	require.Equal(t, KindNetwork, KindOf(err))
}

func TestNoErrorShowsWhatWasSentOrReceived(t *testing.T) {
	const canary = "canary7f3"
	echo := `{"error":"` + canary + ` ` + canary + `","error_description":"` + canary + `"}`
	for name, answer := range map[string]tripper{
		"refusal":      canned(401, echo, "X-Echo", canary),
		"redirect":     canned(302, echo, "Location", "https://"+canary+".example/?"+canary),
		"bad redirect": canned(302, echo, "Location", "http://[broken?"+canary),
		"broken body": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(iotest.ErrReader(errors.New(canary)))}, nil
		},
		"too large": canned(200, canary+canary+canary),
		"no reply":  func(*http.Request) (*http.Response, error) { return nil, errors.New("authenticator: " + canary) },
		"bad reply": func(*http.Request) (*http.Response, error) {
			return nil, errors.New("malformed HTTP response " + canary)
		},
		"odd timeout": func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("%s: %w", canary, context.DeadlineExceeded)
		},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
				"https://user:"+canary+"@api.example.com/path/"+canary+"?handle="+canary, strings.NewReader(canary))
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+canary)
			_, err = New(&http.Client{Transport: answer}, WithMaxBody(10)).Do(t.Context(), op, req)
			require.Error(t, err)
			require.ErrorContains(t, err, "api.example.com")

			asJSON, jsonErr := json.Marshal(err)
			require.NoError(t, jsonErr)
			enc := zapcore.NewMapObjectEncoder()
			zapcore.Field{Key: "e", Type: zapcore.ErrorType, Interface: err}.AddTo(enc)
			for wrapped := err; wrapped != nil; wrapped = errors.Unwrap(wrapped) {
				assert.NotContains(t, fmt.Sprintf("%s %v %+v %#v %q", wrapped, wrapped, wrapped, wrapped, wrapped), canary)
			}
			assert.NotContains(t, string(asJSON)+fmt.Sprint(enc.Fields), canary)
		})
	}
}

func TestKindOfOtherErrors(t *testing.T) {
	require.Equal(t, KindUnknown, KindOf(nil))
	require.Equal(t, KindUnknown, KindOf(io.EOF))
	require.Equal(t, KindCanceled, KindOf(fmt.Errorf("waiting: %w", context.Canceled)))
	require.Equal(t, KindTimeout, KindOf(context.DeadlineExceeded))
	require.Equal(t, "unknown", Kind(99).String())
	require.Equal(t, "protocol", KindProtocol.String())
}
