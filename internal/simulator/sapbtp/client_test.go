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

// answer is a response that was read to its end.
type answer struct {
	status   int
	header   http.Header
	length   int64
	inflated bool
	body     []byte
	broken   error // of reading the body
}

func (a *answer) handle() string {
	_, handle, _ := strings.Cut(a.header.Get("Paging"), "=")
	return handle
}

// ids gives the ids of the records of a page.
func (a *answer) ids(t *testing.T) []string {
	t.Helper()
	require.NoError(t, a.broken)
	if a.status == http.StatusNoContent {
		require.Empty(t, a.body)
		return nil
	}
	require.Equal(t, http.StatusOK, a.status)
	// Decoding JSON would be most of the time of these tests; that pages are valid has a test of its own.
	parts := strings.Split(string(a.body), `{"message_uuid":"`)
	require.Equal(t, "[", strings.TrimSuffix(parts[0], "]"))
	ids := make([]string, len(parts)-1)
	for i, p := range parts[1:] {
		ids[i], _, _ = strings.Cut(p, `"`)
	}
	return ids
}

// caller is the plainest client of one subaccount.
type caller struct {
	t      *testing.T
	sub    Subaccount
	client *http.Client
	bearer string
}

func newCaller(t *testing.T, sim *Simulator) *caller {
	t.Helper()
	c := &caller{t: t, sub: sim.Subaccount(0), client: &http.Client{Transport: sim.Transport()}}
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// send makes a request and reads the answer as far as it comes.
func (c *caller) send(req *http.Request) (*answer, error) {
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	a := &answer{status: resp.StatusCode, header: resp.Header, length: resp.ContentLength, inflated: resp.Uncompressed}
	a.body, a.broken = io.ReadAll(resp.Body)
	return a, resp.Body.Close()
}

// form is what a token request with a secret says.
func (c *caller) form() url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {c.sub.ClientID}, "client_secret": {c.sub.ClientSecret}}
}

// post asks for a token.
func (c *caller) post(base string, form url.Values, change ...func(*http.Request)) (*answer, error) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, base+uaaPath, strings.NewReader(form.Encode()))
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, f := range change {
		f(req)
	}
	return c.send(req)
}

// login gets a token.
func (c *caller) login() {
	c.t.Helper()
	resp, err := c.post(c.sub.TokenURL, c.form())
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, resp.status)
	var got struct {
		Token string `json:"access_token"`
	}
	require.NoError(c.t, json.Unmarshal(resp.body, &got))
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

// get retrieves; a connection that breaks before the answer fails the test.
func (c *caller) get(pairs ...string) *answer {
	c.t.Helper()
	resp, err := c.send(c.request(pairs...))
	require.NoError(c.t, err)
	return resp
}

// status retrieves and gives only the status.
func (c *caller) status(pairs ...string) int {
	c.t.Helper()
	return c.get(pairs...).status
}

// ids retrieves one page and gives the ids of its records.
func (c *caller) ids(pairs ...string) []string {
	c.t.Helper()
	return c.get(pairs...).ids(c.t)
}

// all follows the handles to the end.
func (c *caller) all(pairs ...string) (ids []string, pages int) {
	c.t.Helper()
	for {
		resp := c.get(pairs...)
		pages++
		ids = append(ids, resp.ids(c.t)...)
		handle := resp.handle()
		if handle == "" {
			return ids, pages
		}
		require.Less(c.t, pages, 100, "no end of pages")
		pairs = []string{"handle", handle}
	}
}

// formBody is the form of a token request.
func formBody(c *caller) io.ReadCloser { return io.NopCloser(strings.NewReader(c.form().Encode())) }
