// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"

	"github.com/otelcol-audit/otelcol-audit/internal/spool"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/event"
)

// This is the whole cycle. Its two halves run on their own and meet in the spool, so neither a slow consumer nor a slow API
// holds up the other, and a start begins with what the last run left.
//
//	reserve space → GET → raw bytes into the spool (committed)     fetch, as often as poll.go says
//	parse → consume, part by part → delete from the spool          pass, in deliver.go's workers

// fetch makes one read. The order is what keeps events: no read without room for what it brings, and nothing looks at the
// bytes before they are safe. A read takes events off the vendor's queue for good, so it is never cancelled, never repeated (see
// assemble.go for the transport) and never redirected: ctx, which ends with reading, only keeps it from being sent, and
// patience outlives that.
func (e *engine) fetch(ctx, patience context.Context, room *spool.Reservation) *reply {
	defer room.Release()
	r := e.api.read(ctx, patience)
	e.requested(patience, r)
	if r.worth {
		e.keep(patience, room, r)
	}
	return r
}

// pass hands the oldest entry of the spool to the next consumer, and deletes it when every one of its events was accepted or
// put into the quarantine.
func (e *engine) pass(ctx context.Context, mapper *event.Mapper) error {
	entry, err := e.spool.Next(ctx)
	if err != nil {
		return e.unreadable(ctx, err)
	}
	if entry.Err != nil {
		err = e.putAside(ctx, entry, errDamaged)
	} else {
		err = e.process(ctx, entry, mapper)
	}
	if err != nil {
		e.giveBack(entry, err)
		return err
	}
	return e.forget(ctx, entry)
}
