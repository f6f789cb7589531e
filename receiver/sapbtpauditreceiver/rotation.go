// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/auditlog"
)

// rotation reads with the first credential that works, so that a key that was revoked, has expired or is wrong does not
// matter while there is another one.
type rotation struct {
	s           *subaccount
	credentials []*credential
	inUse       atomic.Int64
	told        atomic.Int64 // the credential that the log calls the one in use
}

func newRotation(s *subaccount, credentials []*credential) *rotation {
	return &rotation{s: s, credentials: credentials}
}

// Page gets a page from the API of the credential in use, with its token; or of the next one that works.
func (r *rotation) Page(ctx context.Context, q auditlog.Query) (page *auditlog.Page, err error) {
	err = r.use(ctx, func(c *credential) (err error) {
		page, err = c.api.Page(ctx, q)
		return err
	})
	return page, err
}

// check asks for a token, as before a page.
func (r *rotation) check(ctx context.Context) error {
	return r.use(ctx, func(c *credential) error {
		if _, err := c.tokens.Token(ctx); err != nil {
			return fmt.Errorf("%w: %w", auditlog.ErrToken, err)
		}
		return nil
	})
}

// use tries the credentials in turn, beginning with the one in use, until one does not stand in its own way.
func (r *rotation) use(ctx context.Context, try func(*credential) error) error {
	first, all := int(r.inUse.Load()), len(r.credentials)
	failures := make([]error, all) // in a fixed order, since the log tells an error from the one before by its text
	for i := range all {
		n := (first + i) % all
		next := (n + 1) % all
		c := r.credentials[n]
		err := try(c)
		switch {
		case err == nil:
			r.tell(n, failures)
			return nil
		case ctx.Err() != nil || !unfit(err) && !astray(err, c, r.credentials[next]):
			return err
		}
		if failures[n] = err; all > 1 && c.path != "" {
			failures[n] = fmt.Errorf("service key %s: %w", c.path, err)
		}
		r.inUse.CompareAndSwap(int64(n), int64(next)) // unless another reader has done so
	}
	// The keys may have been replaced a moment ago.
	r.s.recheck()
	if all == 1 {
		return failures[0]
	}
	return errors.Join(failures...)
}

// tell logs that credentials had to make way for the n-th.
func (r *rotation) tell(n int, failures []error) {
	if err := errors.Join(failures...); err != nil && r.told.Swap(int64(n)) != int64(n) {
		r.s.logger.Warn("A credential of the subaccount does not work; another one is used", append(labels(r.s), zap.Error(err))...)
	}
}

// unfit reports whether a failure is that of the credential: there is no token for it, or the API refuses its tokens, a fresh
// one too.
func unfit(err error) bool {
	kind := httpcall.KindOf(err)
	if errors.Is(err, auditlog.ErrToken) {
		return errors.Is(err, oauth.ErrRefused) || errors.Is(err, oauth.ErrRejected) || errors.Is(err, errMisplaced) || kind == httpcall.KindTLS
	}
	return kind == httpcall.KindUnauthorized || kind == httpcall.KindForbidden
}

// astray reports whether a failure may come from a wrong address in the key of c, which another one does not have. A server
// that is busy or in trouble is the right one.
func astray(err error, c, other *credential) bool {
	if errors.Is(err, auditlog.ErrHandle) {
		return false
	}
	switch httpcall.KindOf(err) {
	case httpcall.KindNetwork, httpcall.KindTLS, httpcall.KindTimeout, httpcall.KindRedirect, httpcall.KindClient, httpcall.KindProtocol:
	default:
		return false
	}
	if errors.Is(err, auditlog.ErrToken) {
		return c.key.TokenURL != other.key.TokenURL
	}
	return c.key.Endpoint != other.key.Endpoint
}
