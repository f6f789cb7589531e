// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"slices"

	"go.uber.org/zap"

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
	rotation    *rotation // nil with an authenticator extension
}

// credential is one key of a subaccount, where its tokens come from, and the only API they go to: that of the same key.
type credential struct {
	key    servicekey.Key
	path   string     // of the key's file; empty for keys in the configuration itself
	pair   *pairFiles // its certificate, where that is the one of the tls section
	tokens *tokens
	api    pager
	close  func()
}

// tokens are those of one credential.
type tokens struct {
	*oauth.Source
	s   *subaccount
	key servicekey.Key
}

// Token returns a token, unless it says that its key is one of another subaccount.
func (t *tokens) Token(ctx context.Context) (oauth.Token, error) {
	token, err := t.Source.Token(ctx)
	if err == nil {
		err = t.s.learn(ctx, t.key, token)
	}
	if err != nil {
		return oauth.Token{}, err
	}
	return token, nil
}

// connect makes the connection for a source. Keys that were in use before keep their tokens.
func (s *subaccount) connect(ctx context.Context, source keyfiles.Source, before *connection) (*connection, error) {
	c := &connection{endpoint: source.Credentials[0].Key.Endpoint}
	if s.cfg.ClientConfig.Auth.HasValue() {
		var err error
		c.api, err = s.pagerOf(c.endpoint, nil)
		return c, err
	}
	for _, found := range source.Credentials {
		used, err := s.credential(ctx, found, before)
		if err != nil {
			return nil, err
		}
		c.credentials = append(c.credentials, used)
		c.clientIDs = append(c.clientIDs, found.Key.ClientID)
	}
	c.rotation = newRotation(s, c.credentials)
	c.api = c.rotation
	return c, nil
}

func (s *subaccount) credential(ctx context.Context, found keyfiles.Credential, before *connection) (*credential, error) {
	key := found.Key
	if before != nil {
		for _, used := range before.credentials {
			if used.key == key {
				return used, nil
			}
		}
	}
	out := &credential{key: key, path: found.Path, close: func() {}}
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
	out.tokens = &tokens{s: s, key: key, Source: oauth.New(oauth.Settings{
		TokenURL: key.TokenURL, ClientID: key.ClientID, Secret: s.cfg.secretOf(key), Style: style,
		Caller: caller, Logger: s.logger, OnRefresh: s.tel.token,
	})}
	var err error
	out.api, err = s.pagerOf(key.Endpoint, out.tokens)
	return out, err
}

// pagerOf is the API at an endpoint. All share the subaccount's rate limit.
func (s *subaccount) pagerOf(endpoint string, tokens auditlog.Tokens) (pager, error) {
	return auditlog.New(auditlog.Settings{
		Endpoint: endpoint, Caller: s.clients.api, Tokens: tokens, Wait: s.admit, OnRequest: s.requested,
	})
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

// learn takes the subaccount's id from a token, where the key does not say it. Keys are sorted anew where it shows that one
// is not with its like.
func (s *subaccount) learn(ctx context.Context, key servicekey.Key, token oauth.Token) error {
	if key.TenantID != "" {
		return nil
	}
	zone := token.Claim("zid")
	if zone == "" {
		return nil
	}
	s.names.learn(ctx, key, zone)
	if s.names.of(key) != s.id {
		s.recheck()
		return errMisplaced
	}
	if s.tenant.Load() == nil {
		s.tenant.Store(&zone)
	}
	return nil
}
