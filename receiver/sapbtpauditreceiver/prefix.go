// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
)

// place is where the state of a subaccount is in storage, and what is known of it.
type place struct {
	prefix string
	note   string // under which key it is noted
	from   string // whose progress a first start goes on from, as it may be of the same subaccount; "" for none
	begun  bool   // there was a state, here or at a place that nobody knows any more: this is no first start
}

// place finds the state of a subaccount. It is named after the subaccount's identity, which is the tenant where the credentials
// say it and the token host where they do not. What a token has said, and a note under the token host, lead to the
// state when the credentials come in another form than before, so that this is not taken for a first start. Nor is a damaged
// note, or one that leads to a state that is gone: remember writes it after the state.
func (t *term) place(ctx context.Context, source keyfiles.Source) (place, error) {
	own := source.ID + "/"
	host := tokenHost(source.Credentials[0].Key)
	at := place{prefix: own, note: noteState(host)}
	tenant := t.names.tenantOf(source)
	if err := t.names.unreadable(source); err != nil {
		return at, err
	}
	if t.names.isApart(source.ID) {
		return t.placeApart(ctx, source.ID, host), nil
	}

	if named := tenant + "/"; tenant != "" && named != own && !t.taken(named) && t.begun(ctx, named) {
		at.prefix = named // which other keys have named, and no key does now
	}
	if t.begun(ctx, at.prefix) {
		at.begun = true
		return at, nil
	}
	if tenant != "" {
		// It may have been read by a key without tenant, behind a gateway.
		known, err := t.placeOf(ctx, source.ID, tenant)
		if known.begun || err != nil {
			return known, err
		}
	}
	var former string
	err := durable.Load(ctx, t.storage, at.note, checkpointVersion, &former)
	switch {
	// Subaccounts behind one token host, as with a gateway, are told apart by their tenants.
	case err == nil && tenant != "" && former != host+"/" && former != tenant+"/":
	case err == nil && !t.isOthers(source.ID, former):
		if former != at.prefix {
			t.logger.Info("Going on with the progress that was stored under another form of the credentials",
				zap.String("subaccount", source.ID), zap.String("state", former))
		}
		at.prefix, at.begun = former, true
	case err == nil, errors.Is(err, durable.ErrAbsent):
	case errors.Is(err, durable.ErrCorrupt):
		t.damaged(source.ID)
		at.begun = true
	default:
		return at, fmt.Errorf("reading where the state is: %w", err)
	}
	return at, nil
}

// placeOf is the state of a tenant as far as a key that did not name it has left a note of it.
func (t *term) placeOf(ctx context.Context, id, tenant string) (place, error) {
	at := place{prefix: id + "/", note: noteState(tenant)}
	var read string
	switch err := durable.Load(ctx, t.storage, at.note, checkpointVersion, &read); {
	case err == nil && !t.isOthers(id, read) && t.begun(ctx, read):
		at.prefix, at.begun = read, true
	case err == nil, errors.Is(err, durable.ErrAbsent):
	case errors.Is(err, durable.ErrCorrupt):
		t.damaged(id)
		at.begun = true
	default:
		return at, fmt.Errorf("reading where the state is: %w", err)
	}
	return at, nil
}

func (t *term) damaged(id string) {
	t.logger.Error("The note of where the progress is stored is damaged", zap.String("subaccount", id))
}

// placeApart is where the state of a key is that shares a gateway with others. As long as nobody knows which of them the state of
// the host is of, that may be its own, so it goes on from there: repeats are bad, loss is worse.
func (t *term) placeApart(ctx context.Context, id, host string) place {
	at := place{prefix: id + "/", note: noteState(id)}
	var noted string
	err := durable.Load(ctx, t.storage, at.note, checkpointVersion, &noted)
	at.begun = t.names.isDoubtful(id) || t.begun(ctx, at.prefix) || !errors.Is(err, durable.ErrAbsent)
	if !at.begun && t.names.unsure(host) && t.begun(ctx, host+"/") {
		at.from = host + "/"
	}
	return at
}

// isOthers reports whether a state is that of another subaccount than id, which is being read or has keys.
func (t *term) isOthers(id, prefix string) bool {
	owner := strings.TrimSuffix(prefix, "/")
	return t.taken(prefix) || owner != id && t.names.isPresent(owner)
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
func (t *term) taken(prefix string) bool { return t.at(prefix) != nil }

// at is the subaccount that is being read and has its state there; nil if there is none.
func (t *term) at(prefix string) *subaccount {
	for _, s := range t.list() {
		if s.store.prefix == prefix {
			return s
		}
	}
	return nil
}
