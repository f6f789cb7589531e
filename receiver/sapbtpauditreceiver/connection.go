// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// connection is the API of one subaccount with the credentials that are now in use. It is replaced as a whole when they
// change; everything that was learned or read stays with the subaccount.
type connection struct {
	api         pager
	endpoint    string
	clientIDs   []string
	credentials []*credential
	tokens      *rotation // nil with an authenticator extension
}

// credential is one key of a subaccount and where its tokens come from.
type credential struct {
	key    servicekey.Key
	pair   *pairFiles // its certificate, where that is the one of the tls section
	tokens *oauth.Source
	close  func()
}

// connect makes the connection for a source. Keys that were in use before keep their tokens.
func (s *subaccount) connect(ctx context.Context, source keyfiles.Source, before *connection) (*connection, error) {
	c := &connection{endpoint: source.Credentials[0].Key.Endpoint}
	settings := auditlog.Settings{Endpoint: c.endpoint, Caller: s.clients.api, Wait: s.admit, OnRequest: s.requested}
	if !s.cfg.ClientConfig.Auth.HasValue() {
		for _, found := range source.Credentials {
			used, err := s.credential(ctx, found.Key, before)
			if err != nil {
				return nil, err
			}
			c.credentials = append(c.credentials, used)
			c.clientIDs = append(c.clientIDs, found.Key.ClientID)
		}
		c.tokens = &rotation{s: s, credentials: c.credentials}
		settings.Tokens = c.tokens
	}
	client, err := auditlog.New(settings)
	c.api = client
	return c, err
}

func (s *subaccount) credential(ctx context.Context, key servicekey.Key, before *connection) (*credential, error) {
	if before != nil {
		for _, used := range before.credentials {
			if used.key == key {
				return used, nil
			}
		}
	}
	out := &credential{key: key, close: func() {}}
	caller, style := s.clients.secret, oauth.SecretInForm
	if key.AuthType == servicekey.MutualTLS {
		var err error
		style = oauth.MutualTLS
		if caller, out.close, err = s.clients.certificate(ctx, key.CertPEM, key.KeyPEM); err != nil {
			return nil, err
		}
		if key.CertPEM == "" {
			out.pair = s.clients.pair
		}
	}
	out.tokens = oauth.New(oauth.Settings{
		TokenURL: key.TokenURL, ClientID: key.ClientID, Secret: s.cfg.secretOf(key), Style: style,
		Caller: caller, Logger: s.logger, OnRefresh: s.tel.token,
	})
	return out, nil
}

// reconnect puts changed credentials into use. Requests under way end with the ones before.
func (s *subaccount) reconnect(source keyfiles.Source) error {
	before := s.connection.Load()
	if before.holds(source) {
		return nil
	}
	now, err := s.connect(context.Background(), source, before)
	if err != nil {
		return err
	}
	s.connection.Store(now)
	for _, old := range before.credentials {
		if !now.uses(old) {
			old.close()
		}
	}
	s.logger.Info("Using changed credentials", append(labels(s), zap.Int("credentials", len(now.credentials)))...)
	s.wake()
	return nil
}

// close gives the connections of the credentials back.
func (c *connection) close() {
	for _, used := range c.credentials {
		used.close()
	}
}

func (c *connection) uses(credential *credential) bool {
	return slices.Contains(c.credentials, credential)
}

// holds reports whether the connection has the keys of the source, in their order.
func (c *connection) holds(source keyfiles.Source) bool {
	if len(c.credentials) != len(source.Credentials) {
		return false
	}
	for i, used := range c.credentials {
		if used.key != source.Credentials[i].Key {
			return false
		}
	}
	return true
}

// rotation hands out tokens of the first credential that is accepted, so that a key that was revoked or has expired does
// not matter while there is another one.
type rotation struct {
	s           *subaccount
	credentials []*credential
	inUse       atomic.Int64
}

// Token returns a token of the credential in use, or of the next one if that is refused.
func (r *rotation) Token(ctx context.Context) (oauth.Token, error) {
	first := int(r.inUse.Load())
	var failure error
	for i := range r.credentials {
		n := (first + i) % len(r.credentials)
		token, err := r.credentials[n].tokens.Token(ctx)
		if err == nil {
			r.inUse.Store(int64(n))
			r.s.learn(token)
			return token, nil
		}
		failure = errors.Join(failure, err)
		if !errors.Is(err, oauth.ErrRefused) && httpcall.KindOf(err) != httpcall.KindTLS {
			return oauth.Token{}, err
		}
	}
	// The key may have been replaced a moment ago.
	r.s.recheck()
	return oauth.Token{}, failure
}

// Drop forgets a token that the API refused.
func (r *rotation) Drop(token oauth.Token) {
	for _, c := range r.credentials {
		c.tokens.Drop(token)
	}
}

// learn takes the subaccount's id from a token, where no carrier of the credentials says it.
func (s *subaccount) learn(token oauth.Token) {
	if s.tenant.Load() != nil {
		return
	}
	if zone := token.Claim("zid"); zone != "" {
		s.tenant.Store(&zone)
	}
}
