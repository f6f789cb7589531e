// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

const (
	operation   = "requesting an access token"
	maxToken    = 64 << 10       // longest token accepted, in bytes
	maxLifetime = 24 * time.Hour // a longer expires_in is cut to it
	maxMargin   = 30 * time.Second
)

// obtain asks for a token until it comes, the tries are used up, or trying again would not help.
func (s *Source) obtain(ctx context.Context, tries int) (grant, error) {
	for try := 1; ; try++ {
		got, err := s.request(ctx)
		if err == nil {
			return got, nil
		}
		wait, again := pause(err, try)
		if !again || try >= tries {
			return grant{}, s.suspect(err)
		}
		if !sleep(ctx, wait) {
			return grant{}, err
		}
	}
}

// byteOrderMark is what some gateways put before UTF-8.
const byteOrderMark = "\ufeff"

// request asks for a token once.
func (s *Source) request(ctx context.Context) (grant, error) {
	req, secret, err := s.newRequest(ctx)
	if err != nil {
		return grant{}, err
	}
	begin := time.Now() // the token's life is counted from here, so that a slow reply makes it shorter, not longer
	resp, err := s.settings.Caller.Do(ctx, operation, req)
	if err != nil {
		return grant{}, explain(err, secret, s.settings.Params)
	}
	var reply struct {
		AccessToken json.RawMessage `json:"access_token"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
	}
	fail := func(what string) (grant, error) {
		return grant{}, &httpcall.Error{
			Op: operation, Host: req.URL.Host, Kind: httpcall.KindProtocol, Status: resp.Status, What: what,
			Hint: "check token_url; a login page or a proxy may have answered",
		}
	}
	var value string
	switch {
	case json.Unmarshal(bytes.TrimPrefix(resp.Body, []byte(byteOrderMark)), &reply) != nil:
		return fail("the reply is not a JSON object")
	case json.Unmarshal(reply.AccessToken, &value) != nil || value == "":
		return fail("the reply has no access_token")
	case len(value) > maxToken || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fail("the access_token in the reply is too long or has characters that no token has")
	}
	life := lifetime(reply.ExpiresIn, s.settings.DefaultLifetime)
	return grant{
		token:  Token{value: &value},
		renew:  begin.Add(life / 2),
		expiry: begin.Add(life - min(life/10, maxMargin)),
	}, nil
}

func (s *Source) newRequest(ctx context.Context) (req *http.Request, secret string, err error) {
	if s.settings.Style != MutualTLS {
		switch secret, err = s.settings.Secret(); {
		case err != nil:
			return nil, "", fmt.Errorf("%s: reading the client secret: %w", operation, err)
		case secret == "":
			return nil, "", errors.New(operation + ": the client secret is empty")
		}
	}
	form := url.Values{}
	maps.Copy(form, s.settings.Params)
	form.Set("grant_type", "client_credentials")
	if s.settings.Style != SecretInHeader {
		form.Set("client_id", s.settings.ClientID)
	}
	if s.settings.Style == SecretInForm {
		form.Set("client_secret", secret)
	}
	req, err = http.NewRequestWithContext(ctx, http.MethodPost, s.settings.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", errors.New(operation + ": token_url is not a valid URL") // the error would quote it
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if s.settings.Style == SecretInHeader {
		req.SetBasicAuth(s.settings.ClientID, secret)
	}
	return req, secret, nil
}

// lifetime reads expires_in, seconds as a number or as text, whole or not. What makes no sense counts as missing.
func lifetime(raw json.RawMessage, fallback time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(strings.Trim(string(raw), `" `), 64)
	if (err == nil || errors.Is(err, strconv.ErrRange)) && seconds > 0 {
		return time.Duration(min(seconds, maxLifetime.Seconds()) * float64(time.Second))
	}
	return fallback
}

// sleep waits for d and reports whether ctx lasted that long.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
