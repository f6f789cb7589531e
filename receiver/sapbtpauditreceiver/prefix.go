// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
)

// place is where the state of a subaccount is in storage, and what is known of it.
type place struct {
	prefix string
	note   string // under which key it is noted
	begun  bool   // there was a state, here or at a place that nobody knows any more: this is no first start
}

// place finds the state of a subaccount. It is named after the subaccount's identity, which is the tenant where the credentials
// say it and the token host where they do not. What a token has said, and a note under the token host, lead to the
// state when the credentials come in another form than before, so that this is not taken for a first start. Nor is a damaged
// note, or one that leads to a state that is gone: remember writes it after the state.
func (t *term) place(ctx context.Context, source keyfiles.Source) (place, error) {
	own := source.ID + "/"
	host := tokenHost(source.Credentials[0].Key)
	at := place{prefix: own, note: "state of " + host}
	tenant := t.names.tenantOf(source)

	if named := tenant + "/"; tenant != "" && named != own && !t.taken(named) && t.begun(ctx, named) {
		at.prefix = named // which other keys have named, and no key does now
	}
	if t.begun(ctx, at.prefix) {
		at.begun = true
		return at, nil
	}
	var former string
	err := durable.Load(ctx, t.storage, at.note, checkpointVersion, &former)
	switch {
	// Subaccounts behind one token host, as with a gateway, are told apart by their tenants.
	case err == nil && tenant != "" && former != host+"/" && former != tenant+"/":
	case err == nil && !t.taken(former):
		if former != at.prefix {
			t.logger.Info("Going on with the progress that was stored under another form of the credentials",
				zap.String("subaccount", source.ID), zap.String("state", former))
		}
		at.prefix, at.begun = former, true
	case err == nil, errors.Is(err, durable.ErrAbsent):
	case errors.Is(err, durable.ErrCorrupt):
		t.logger.Error("The note of where the progress is stored is damaged", zap.String("subaccount", source.ID))
		at.begun = true
	default:
		return at, fmt.Errorf("reading where the state is: %w", err)
	}
	return at, nil
}

// begun reports whether there is a state. What is damaged or unreadable is for restore to judge.
func (t *term) begun(ctx context.Context, prefix string) bool {
	store := progressStore{client: t.storage, prefix: prefix}
	_, err := store.load(ctx)
	return !errors.Is(err, durable.ErrAbsent)
}

// remember writes the note, unless it says so already. The state is there by then: a note without one tells of damage.
func (t *term) remember(ctx context.Context, at place) error {
	var noted string
	if err := durable.Load(ctx, t.storage, at.note, checkpointVersion, &noted); err == nil && (noted == at.prefix || t.taken(noted)) {
		return nil
	}
	if err := durable.Save(ctx, t.storage, at.note, checkpointVersion, at.prefix); err != nil {
		return fmt.Errorf("noting where the state is: %w", err)
	}
	return nil
}

// taken reports whether a subaccount that is being read has its state there. Token hosts of SAP are those of one subaccount,
// others may be shared.
func (t *term) taken(prefix string) bool {
	for _, s := range t.list() {
		if s.store.prefix == prefix {
			return true
		}
	}
	return false
}
