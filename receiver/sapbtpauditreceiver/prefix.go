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

// prefix is where the state of a subaccount is in storage. It is named after the subaccount's identity, which is the tenant
// where the credentials say it and the token host where they do not. What a token has said, and a note under the token host,
// lead to the state when the credentials come in another form than before, so that this is not taken for a first start.
func (t *term) prefix(ctx context.Context, source keyfiles.Source) (string, error) {
	own := source.ID + "/"
	host := tokenHost(source.Credentials[0].Key)
	note := "state of " + host
	tenant := t.names.tenantOf(source)

	if named := tenant + "/"; tenant != "" && named != own && !t.taken(named) && t.begun(ctx, named) {
		own = named // which other keys have named, and no key does now
	}
	if t.begun(ctx, own) {
		return own, t.remember(ctx, note, own)
	}
	var former string
	err := durable.Load(ctx, t.storage, note, checkpointVersion, &former)
	switch {
	// Subaccounts behind one token host, as with a gateway, are told apart by their tenants.
	case err == nil && tenant != "" && former != host+"/" && former != tenant+"/":
		return own, t.remember(ctx, note, own)
	case err == nil && !t.taken(former):
		t.logger.Info("Going on with the progress that was stored under another form of the credentials",
			zap.String("subaccount", source.ID), zap.String("state", former))
		return former, nil
	case err == nil, errors.Is(err, durable.ErrAbsent), errors.Is(err, durable.ErrCorrupt):
		return own, t.remember(ctx, note, own)
	default:
		return own, fmt.Errorf("reading where the state is: %w", err)
	}
}

// begun reports whether there is a state. What is damaged or unreadable is for restore to judge.
func (t *term) begun(ctx context.Context, prefix string) bool {
	store := progressStore{client: t.storage, prefix: prefix}
	_, err := store.load(ctx)
	return !errors.Is(err, durable.ErrAbsent)
}

// remember writes the note, unless it says so already.
func (t *term) remember(ctx context.Context, note, prefix string) error {
	var noted string
	if err := durable.Load(ctx, t.storage, note, checkpointVersion, &noted); err == nil && (noted == prefix || t.taken(noted)) {
		return nil
	}
	if err := durable.Save(ctx, t.storage, note, checkpointVersion, prefix); err != nil {
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
