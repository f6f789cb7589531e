// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

// at is a clock that stands still.
func at(now time.Time) func() time.Time { return func() time.Time { return now } }

// caller is the plainest client of one subaccount.
type caller struct {
	t      testing.TB
	sub    Subaccount
	client *http.Client
	bearer string
}

func newCaller(t testing.TB, sim *Simulator) *caller {
	t.Helper()
	c := &caller{t: t, sub: sim.Subaccount(0), client: &http.Client{Transport: sim.Transport()}}
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

func (c *caller) form(extra ...string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.sub.ClientID}, "client_secret": {c.sub.ClientSecret}}
	for i := 0; i < len(extra); i += 2 {
		form.Set(extra[i], extra[i+1])
	}
	return form
}

// post asks for a token.
func (c *caller) post(base string, form url.Values, change ...func(*http.Request)) (*http.Response, error) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, base+tokenPath, strings.NewReader(form.Encode()))
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, f := range change {
		f(req)
	}
	return c.client.Do(req)
}

// login gets a token.
func (c *caller) login() {
	c.t.Helper()
	resp, err := c.post(c.sub.TokenURL, c.form())
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, resp.StatusCode)
	var got struct {
		Token string `json:"access_token"`
	}
	require.NoError(c.t, json.Unmarshal(read(c.t, resp), &got))
	c.bearer = got.Token
}

// request builds a retrieval from pairs of parameter and value.
func (c *caller) request(pairs ...string) *http.Request {
	c.t.Helper()
	if c.bearer == "" {
		c.login()
	}
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.sub.Endpoint+recordsPath+"?"+query.Encode(), http.NoBody)
	require.NoError(c.t, err)
	req.Header.Set("Authorization", "Bearer "+c.bearer)
	return req
}

// get retrieves; a broken connection fails the test.
func (c *caller) get(pairs ...string) *http.Response {
	c.t.Helper()
	resp, err := c.client.Do(c.request(pairs...))
	require.NoError(c.t, err)
	return resp
}

// status retrieves and gives only the status.
func (c *caller) status(pairs ...string) int {
	c.t.Helper()
	resp := c.get(pairs...)
	require.NoError(c.t, resp.Body.Close())
	return resp.StatusCode
}

// ids retrieves one page and gives the ids of its records.
func (c *caller) ids(pairs ...string) []string {
	c.t.Helper()
	return idsOf(c.t, c.get(pairs...))
}

// all follows the handles to the end.
func (c *caller) all(pairs ...string) (ids []string, pages int) {
	c.t.Helper()
	for {
		resp := c.get(pairs...)
		pages++
		ids = append(ids, idsOf(c.t, resp)...)
		handle := handleOf(resp)
		if handle == "" {
			return ids, pages
		}
		require.Less(c.t, pages, 100, "no end of pages")
		pairs = []string{"handle", handle}
	}
}

func handleOf(resp *http.Response) string {
	_, handle, _ := strings.Cut(resp.Header.Get("Paging"), "=")
	return handle
}

func idsOf(t testing.TB, resp *http.Response) []string {
	t.Helper()
	if resp.StatusCode == http.StatusNoContent {
		require.Empty(t, read(t, resp))
		return nil
	}
	require.Equal(t, http.StatusOK, resp.StatusCode)
	// Decoding JSON would be most of the time of these tests; that pages are valid has a test of its own.
	parts := strings.Split(string(read(t, resp)), `{"message_uuid":"`)
	require.Equal(t, "[", strings.TrimSuffix(parts[0], "]"))
	ids := make([]string, len(parts)-1)
	for i, p := range parts[1:] {
		ids[i], _, _ = strings.Cut(p, `"`)
	}
	return ids
}

func read(t testing.TB, resp *http.Response) []byte {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return body
}

// formBody is the form of a token request.
func formBody(c *caller) io.ReadCloser { return io.NopCloser(strings.NewReader(c.form().Encode())) }
