// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package oauth gets access tokens by the OAuth 2.0 client credentials grant. It is small on purpose: the style of
// authentication is set, never guessed; a redirect is never followed, so the secret stays with the configured host; tokens
// are renewed at half of their life and can be dropped when a resource refuses them; nothing secret reaches an error or a
// log line. It knows no vendor.
package oauth

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
)

// Style says how the client shows the token endpoint who it is.
type Style int

// The styles of client authentication.
const (
	SecretInForm   Style = iota // client_id and client_secret as form fields
	SecretInHeader              // HTTP Basic of the id and secret as they are, not URL-encoded
	MutualTLS                   // client_id as form field; the client certificate is the proof
)

// Settings describe one client of one token endpoint.
type Settings struct {
	TokenURL string // full URL of the token endpoint, see NormalizeTokenURL
	ClientID string
	// Secret returns the client secret. It is called for every single request, so that a secret kept in a file is read
	// anew; its errors must not contain the secret. Not used with MutualTLS.
	Secret func() (string, error)
	Style  Style
	Params url.Values       // further form fields, such as scope
	Caller *httpcall.Caller // for MutualTLS its client holds the certificate
	// DefaultLifetime is assumed of a token whose reply gives no usable expires_in. Default 1 h.
	DefaultLifetime time.Duration
	Logger          *zap.Logger // default: none
	// OnRefresh, if set, is told how each attempt to get a token ended, retries included in the attempt. Attempts that
	// the caller gave up are not told.
	OnRefresh func(error)
}

const (
	defaultLifetime = time.Hour
	// renewTimeout bounds a renewal that is not urgent: a usable token is at hand meanwhile.
	renewTimeout = 30 * time.Second
)

// Source hands out tokens. It is safe for concurrent use, starts no goroutine and needs no closing.
type Source struct {
	settings Settings

	mu      sync.Mutex
	current grant    // the token in use, if any
	flight  *flight  // the request in progress, if any
	refrain throttle // how long the endpoint wants to be left alone
}

// grant is a token and its times.
type grant struct {
	token  Token
	renew  time.Time // from then on the next caller tries to renew it
	expiry time.Time // from then on it is not used; some margin before its real end
}

func (g grant) usable(now time.Time) bool { return !g.token.IsZero() && now.Before(g.expiry) }

// flight is one attempt to get a token, made by one caller for all.
type flight struct {
	early bool          // a renewal while the current token is still usable
	done  chan struct{} // closed when the fields below are set
	token Token
	err   error
	again bool // says nothing about the endpoint: waiting callers try themselves
}

// throttle is a request of the endpoint to come back later.
type throttle struct {
	until time.Time
	err   *httpcall.Error
}

// New returns a Source. It makes no request yet.
func New(settings Settings) *Source {
	if settings.DefaultLifetime <= 0 {
		settings.DefaultLifetime = defaultLifetime
	}
	if settings.Logger == nil {
		settings.Logger = zap.NewNop()
	}
	settings.Caller = settings.Caller.With(httpcall.WithDescription())
	return &Source{settings: settings}
}

// NormalizeTokenURL returns the full URL of the token endpoint for a base URL, with or without a final slash or
// /oauth/token (SAP-docs 30ece35 appends that path to both uaa.url and uaa.certurl).
func NormalizeTokenURL(base string) string {
	const path = "/oauth/token"
	base = strings.TrimRight(strings.TrimSpace(base), "/")
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, path) + path
}

// Token returns a usable token: the one in use, or a new one if that is past half of its life. If renewing fails, the old
// one serves to its end. Callers that need a token at the same time share one request; the end of one caller's context
// disturbs no other.
//
// Errors match ErrRefused if the endpoint refused the credentials, and ErrRejected if it did not accept the request: asking again
// will not help. All failures of the
// request are an *httpcall.Error; RetryAfter in it is how long the endpoint wants to be left alone, and earlier calls get
// the same error without a request. Beyond that the caller has to back off between calls.
func (s *Source) Token(ctx context.Context) (Token, error) {
	for {
		token, f, lead, err := s.enter(time.Now())
		if f == nil {
			return token, err
		}
		if lead {
			s.fly(ctx, f)
		} else {
			select {
			case <-f.done:
			case <-ctx.Done():
				return Token{}, ctx.Err()
			}
		}
		if !f.again {
			return f.token, f.err
		}
		if ctx.Err() != nil {
			return Token{}, ctx.Err()
		}
	}
}

// enter returns the current token, the error of a throttled endpoint, or the flight to wait for or to lead.
func (s *Source) enter(now time.Time) (token Token, f *flight, lead bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	usable, throttled := s.current.usable(now), now.Before(s.refrain.until)
	switch {
	case usable && (now.Before(s.current.renew) || s.flight != nil || throttled):
		return s.current.token, nil, false, nil
	case s.flight != nil:
		return Token{}, s.flight, false, nil
	case throttled:
		return Token{}, nil, false, s.refrain.remaining(now)
	}
	s.flight = &flight{early: usable, done: make(chan struct{})}
	return Token{}, s.flight, true, nil
}

// fly makes the request of f and tells everyone how it ended.
func (s *Source) fly(ctx context.Context, f *flight) {
	f.again = true // if this does not come to an end, others must not hang or believe it
	defer s.land(f)

	tries, flightCtx := maxTries, ctx
	if f.early {
		var cancel context.CancelFunc
		flightCtx, cancel = context.WithTimeout(ctx, renewTimeout)
		defer cancel()
		tries = 1
	}
	got, err := s.obtain(flightCtx, tries)
	if err != nil && ctx.Err() != nil {
		return // given up by this caller alone
	}

	s.mu.Lock()
	now := time.Now()
	switch {
	case err == nil:
		s.current = got
	case f.early:
		// Tried again ever sooner, as the end comes near.
		s.current.renew = now.Add(max(s.current.expiry.Sub(now)/4, time.Second))
	}
	s.refrain.note(err, now)
	// After a failed early renewal the current token serves on; should it be gone meanwhile, a full attempt is due.
	f.token, f.err, f.again = got.token, err, err != nil && f.early
	left := s.current.expiry.Sub(now)
	s.mu.Unlock()

	switch {
	case err == nil:
		s.settings.Logger.Debug("Got an access token", zap.Stringer("usable_for", left.Round(time.Second)))
	case f.early:
		s.settings.Logger.Warn("Could not renew the access token in time; the old one is used on",
			zap.Stringer("usable_for", left.Round(time.Second)), zap.Error(err))
	}
	if s.settings.OnRefresh != nil {
		s.settings.OnRefresh(err)
	}
}

func (s *Source) land(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	close(f.done)
}

// Drop forgets t, if it is the token in use, after a resource has refused it. The next call of Token gets a new one.
func (s *Source) Drop(t Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !t.IsZero() && s.current.token == t {
		s.current = grant{}
	}
}

// note remembers how long the endpoint asked to be left alone.
func (t *throttle) note(err error, now time.Time) {
	var e *httpcall.Error
	if errors.As(err, &e) && e.HasRetryAfter && (e.Kind == httpcall.KindThrottled || e.Kind == httpcall.KindServer) {
		t.until, t.err = now.Add(e.RetryAfter), e
	}
}

// remaining is the remembered error with what is left of its wait.
func (t *throttle) remaining(now time.Time) error {
	e := *t.err
	e.RetryAfter = t.until.Sub(now)
	return &e
}
