// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// places are the prefixes of the states with which a key without tenant may have been read as a source of its own.
func (n *names) places(key servicekey.Key) []string {
	if key.TenantID != "" {
		return nil
	}
	host, own := tokenHost(key), account(key)
	places := []string{own + "/"}
	n.mu.Lock()
	defer n.mu.Unlock()
	owner := n.owners[host]
	if ofOneSubaccount(key.TokenURL) || owner == own || n.learned[own] != "" && n.learned[own] == n.learned[owner] {
		places = append(places, host+"/")
	}
	return places
}

// bequeath tells a subaccount where keys of it may have left time unread, before it showed whose they are. It reports false
// while one of those places is still being left.
func (t *term) bequeath(s *subaccount, source keyfiles.Source) (done bool) {
	var legacies []string
	done = true
	for _, c := range source.Credentials {
		for _, prefix := range t.names.places(c.Key) {
			other := t.at(prefix)
			switch {
			case prefix == s.store.prefix || slices.Contains(legacies, prefix):
			case other != nil && other.leaving:
				done = false
			case !t.isOthers(s.id, prefix):
				legacies = append(legacies, prefix)
			}
		}
	}
	if len(legacies) > 0 {
		s.legacies.Store(&legacies)
	}
	return done
}

// inherit takes over what keys of the subaccount have left unread as sources of their own. After a crash it is told of
// them again, and what it has taken over by then is not before its beginning any more.
func (s *subaccount) inherit(ctx context.Context) error {
	legacies := s.legacies.Load()
	if legacies == nil {
		return nil
	}
	for _, prefix := range *legacies {
		if err := s.inheritFrom(ctx, prefix); err != nil {
			return err
		}
	}
	s.legacies.CompareAndSwap(legacies, nil)
	return nil
}

func (s *subaccount) inheritFrom(ctx context.Context, prefix string) error {
	other := progressStore{client: s.store.client, prefix: prefix}
	left, err := other.load(ctx)
	switch {
	case errors.Is(err, durable.ErrAbsent):
		return nil
	case errors.Is(err, errDamaged):
		left = s.begin(s.clock.showing(), retention) // nobody knows what was read
	case err != nil:
		return err
	case other.marks.Begin == 0:
		return nil // nothing was read there since an earlier release, which has forgotten it
	}
	if err := s.delivering.enter(ctx); err != nil {
		return err
	}
	defer s.delivering.leave()
	// What is later was read here or is still to be.
	unread := left.Unread().Before(s.store.marks.Begin)
	if len(unread) == 0 {
		return nil
	}
	marks, progress := s.store.marks, s.progress.Clone()
	s.store.marks.Begin = unread[0].From
	progress.Reopen(unread)
	if err := s.saveProgress(ctx, progress); err != nil {
		s.store.marks = marks
		return err
	}
	s.logger.Info("A key of the subaccount has left time unread, as it was taken for that of another one; it is read now",
		append(labels(s), zap.Time("from", unread[0].Start()), zap.Duration("length", time.Duration(unread.Len())*time.Second))...)
	return nil
}
